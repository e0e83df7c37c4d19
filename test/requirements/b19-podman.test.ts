/** B19 with driver `podman`: the values are files in the pod, and nowhere in the engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { busybox, FOREVER, podman, publishPod, testEngine, type TestEngine } from '../support/podman.js';
import { commandLinesWith, filesWith, newValue, seal, shownAs } from '../support/secrets.js';
import { editConfig } from '../support/site-world.js';
import { enrolSite, type TestSite } from '../support/site.js';

/** Ends with a bad value; shows which one it was given by its hash. */
const SCRIPT = `case "$(cat /run/secrets/db-password)" in bad*) exit 1;; esac; ${FOREVER}`;
const SHOW =
  'stat -c "%u %a" /run/secrets/db-password; sha256sum < /run/secrets/db-password; touch /run/secrets/x 2> /dev/null || echo read-only';

describe.skipIf(podman === undefined || busybox === undefined)('B19 driver podman (skipped without podman or a static busybox)', () => {
  let dir: string;
  let lane: TestLane;
  let engine: TestEngine;
  let site: TestSite;
  const values = [newValue()];

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b19-podman-'));
    lane = await makeLane(dir);
    engine = testEngine(path.join(dir, 'engine'));
    const health = [{ command: [...engine.words, 'exec', 'readings-app', '/bin/sh', '-c', 'test -f /srv/version'], timeoutMs: 120_000 }];
    const driver = { use: 'podman', start: undefined, stopGraceSeconds: 1, engine: engine.words, env: engine.env, network: ['none'] };
    const watched = { health, healthIntervalMs: 200, startSeconds: 20, probationSeconds: 0.5 };
    site = await enrolSite(lane, path.join(dir, 'site'), { driver: { ...driver, ...watched } });
  });

  afterAll(async () => {
    await engine.clear();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const given = async (): Promise<string> => (await engine.say('exec', 'readings-app', '/bin/sh', '-c', SHOW)).trim();
  const shown = (): string => `0 644\n${shownAs(values.at(-1) ?? '')}  -\nread-only`;
  const open = (): readonly string[] =>
    ['db-password', '.volumes/0-0/db-password'].map((name) => path.join(site.state, 'run', 'credentials', name));
  const next = async (): Promise<string> => {
    values.push(newValue());
    await seal(lane, values.at(-1) ?? '', ['--site', 'harbour-7']);
    return values.at(-1) ?? '';
  };

  test('B19 podman: a pod reads its secret from a volume of its own; the engine, its command lines and environments never have it', async () => {
    const release = await publishPod(lane, dir, { version: '1.0.0', script: SCRIPT, secrets: ['db-password'] });
    const [value = ''] = values;
    const seen = await commandLinesWith(value, async () => {
      await seal(lane, value, ['--site', 'harbour-7']);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
      expect(await given()).toBe(shown());
    });
    expect(seen).toEqual([]);
    expect(await engine.say('inspect', 'readings-app')).not.toContain(value);
    expect(await engine.say('secret', 'ls', '--quiet')).toBe('');
    expect([...filesWith(dir, value)].sort()).toEqual([...open()].sort());
  });

  test('B19 podman: with the WAN cut a medium brings the next value, and the pod is started with it', async () => {
    const old = values.at(-1) ?? '';
    await next();
    const medium = path.join(dir, 'medium');
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    editConfig(site.dir, 'upstreams', ['http://127.0.0.1:9']);
    await site.must(['media', 'import', medium]);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    expect(await given()).toBe(shown());
    expect(filesWith(dir, old)).toEqual([]);
    editConfig(site.dir, 'upstreams', [lane.lane]);
  });

  test('B19 podman: a value with which the pod is not healthy gives way to the one before', async () => {
    const bad = newValue('bad');
    await seal(lane, bad, ['--site', 'harbour-7']);
    expect(await site.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
    expect(await given()).toBe(shown());
    expect(filesWith(dir, bad)).toEqual([]);
  });

  test('B19 podman: a manifest that mounts secrets which its release does not declare is refused; values go with their release', async () => {
    await publishPod(lane, dir, { version: '1.1.0', script: SCRIPT, secrets: ['db-password'], declares: [] });
    const answer = await site.must(['update'], 4);
    expect([answer.reason, answer.checks.at(-1).actual]).toEqual([
      'DRIVER_REFUSED',
      expect.stringContaining('expected a release that declares'),
    ]);
    expect(await given()).toBe(shown());
    const release = await publishPod(lane, dir, { version: '1.2.0', script: FOREVER });
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
    for (const value of values) expect(filesWith(dir, value)).toEqual([]);
  });
});
