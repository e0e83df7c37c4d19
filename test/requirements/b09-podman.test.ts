/** Row B9, driver `podman`: real pods of a release's own manifest, images by digest out of the site's store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { killAt } from '../support/kill.js';
import { busybox, FOREVER, podman, publishPod, testEngine, type TestEngine } from '../support/podman.js';
import { enrolSite, type TestSite } from '../support/site.js';

describe.skipIf(podman === undefined || busybox === undefined)('B9 driver podman (skipped without podman or a static busybox)', () => {
  let dir: string;
  let lane: TestLane;
  let engine: TestEngine;
  let count = 0;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-podman-'));
    lane = await makeLane(dir);
    engine = testEngine(path.join(dir, 'engine'));
  });

  afterEach(() => engine.clear());

  afterAll(async () => {
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A site of its own, at the lane as it is. */
  const site = (driver: Readonly<Record<string, unknown>> = {}): Promise<TestSite> =>
    enrolSite(lane, path.join(dir, `site-${(count += 1)}`), {
      name: `harbour-${count}`,
      driver: {
        use: 'podman',
        start: undefined,
        stopGraceSeconds: 1,
        engine: engine.words,
        env: engine.env,
        network: ['none'],
        health: [{ command: [...engine.words, 'exec', 'readings-app', '/bin/sh', '-c', 'test -f /srv/version'], timeoutMs: 120_000 }],
        healthIntervalMs: 200,
        startSeconds: 20,
        probationSeconds: 0.5,
        ...driver,
      },
    });

  const publish = (version: string, script: string, image?: string): Promise<string> => publishPod(lane, dir, { version, script, image });

  const runs = async (): Promise<string> =>
    (await engine.say('exec', 'readings-app', '/bin/sh', '-c', 'read v < /srv/version; echo "$v $SEALANE_VERSION"')).trim();

  test('B9 podman: installs, updates, and goes back by itself when a container ends; the old pods run again', async () => {
    const first = await publish('1.0.0', FOREVER);
    const here = await site();
    expect(await here.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
    expect(await runs()).toBe('1.0.0 1.0.0');

    const second = await publish('1.1.0', FOREVER);
    expect(await here.must(['update'])).toMatchObject({ outcome: 'installed', release: second, previous: first });
    expect(await runs()).toBe('1.1.0 1.1.0');

    const bad = await publish('1.2.0', 'exit 3');
    const answer = await here.must(['update'], 7);
    expect(answer).toMatchObject({ outcome: 'rolled-back', release: bad, previous: second, reason: 'HEALTH_FAILED' });
    expect(await runs()).toBe('1.1.0 1.1.0');
    expect(await here.must(['status'])).toMatchObject({ state: 'idle', current: { release: second } });

    expect(await here.must(['rollback'])).toMatchObject({ outcome: 'installed', release: first });
    expect(await runs()).toBe('1.0.0 1.0.0');
    await here.stop();
    expect(await engine.say('pod', 'ps', '--quiet')).toBe('');
  });

  test('B9 podman: pods that somebody took away are started again; a crash loop is seen and rolled back', async () => {
    await publish('2.0.0', FOREVER);
    // long enough for an engine on a slow machine to start it again
    const here = await site({ probationSeconds: 5 });
    await here.must(['update']);
    await engine.say('pod', 'rm', '--force', '--time', '0', 'readings');
    expect(await here.must(['update'])).toMatchObject({ outcome: 'unchanged' });
    expect(await runs()).toBe('2.0.0 2.0.0');

    await publish('2.1.0', 'sleep 0.2; exit 1');
    // health would pass between two crashes: only the engine's count tells
    const loop = await here.must(['update'], 7);
    expect(loop).toMatchObject({ outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
    expect(await runs()).toBe('2.0.0 2.0.0');
    await here.stop();
  });

  test('B9 podman: what its engine says of the health of a container decides', async () => {
    // no timer of systemd: it is run when it is asked for
    const env = { ...engine.env, DISABLE_HC_SYSTEMD: 'true' };
    const health = [{ command: [...engine.words, 'healthcheck', 'run', 'readings-app'], timeoutMs: 120_000 }];
    const well = await publishPod(lane, dir, { version: '6.0.0', script: FOREVER, probe: 'test -f /srv/version' });
    const here = await site({ env, health, startSeconds: 5 });
    expect(await here.must(['update'])).toMatchObject({ outcome: 'installed', release: well });
    const ill = await publishPod(lane, dir, { version: '6.1.0', script: FOREVER, probe: 'test -f /srv/none' });
    expect(await here.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', release: ill, previous: well, reason: 'HEALTH_FAILED' });
    expect(await runs()).toBe('6.0.0 6.0.0');
    await here.stop();
  });

  test('B9 podman: a manifest that runs what is no part of its release is refused before anything is touched', async () => {
    const good = await publish('3.0.0', FOREVER);
    const here = await site();
    await here.must(['update']);
    const stranger = await publish('3.1.0', FOREVER, `registry.example/edge/other@sha256:${'b'.repeat(64)}`);
    const answer = await here.must(['update'], 4);
    expect(answer).toMatchObject({ outcome: 'refused', release: stranger, reason: 'DRIVER_REFUSED' });
    expect(answer.checks.at(-1).actual).toContain('registry.example/edge/other');
    expect(await runs()).toBe('3.0.0 3.0.0');
    expect(await here.must(['status'])).toMatchObject({ current: { release: good } });
    await here.stop();
  });

  const refused = async (here: TestSite, what: string): Promise<void> => {
    const answer = await here.must(['update'], 4);
    expect(answer).toMatchObject({ outcome: 'refused', reason: 'DRIVER_REFUSED' });
    expect(answer.checks.at(-1).actual).toContain(`name a ${what}: expected none there`);
  };

  test('B9 podman: a pod of the host that has the name of one of the release is left as it is', async () => {
    const here = await site();
    const stranger = (await engine.say('pod', 'create', '--network', 'none', '--name', 'readings')).trim();
    const release = await publish('7.0.0', FOREVER);
    await refused(here, 'pod readings');
    expect((await engine.say('pod', 'ps', '--no-trunc', '--quiet')).trim()).toBe(stranger);
    await engine.say('pod', 'rm', '--force', stranger);
    expect(await here.must(['update'])).toMatchObject({ outcome: 'installed', release });
    await here.stop();
  });

  test(
    'B9 podman: a volume of the host is mounted only if site.yaml lends it, one of the release always',
    { timeout: 600_000 },
    async () => {
      const claiming = (version: string, claim: string): Promise<string> =>
        publishPod(lane, dir, { version, script: FOREVER, claims: [claim] });
      const here = await site();
      for (const version of ['8.0.0', '8.1.0', '8.2.0']) {
        const release = await claiming(version, 'own');
        expect(await here.must(['update']), version).toMatchObject({ outcome: 'installed', release });
        // as an updater leaves it that did not write names down
        if (version === '8.1.0') rmSync(path.join(here.state, 'run', 'engine-names.json'));
      }
      await engine.say('volume', 'create', 'ledger');
      const lent = await claiming('8.3.0', 'ledger');
      await refused(here, 'volume ledger');
      expect(await runs()).toBe('8.2.0 8.2.0');
      await here.stop();
      const other = await site({ mayUse: { volumes: ['ledger'] } });
      expect(await other.must(['update'])).toMatchObject({ outcome: 'installed', release: lent });
      await other.stop();
    },
  );

  test('B9 podman: a release without a manifest is refused by name', async () => {
    const release = await lane.release('3.2.0');
    await lane.promote(release);
    const here = await site();
    expect(await here.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'DRIVER_REFUSED' });
  });

  test('B9 podman: an engine that is not there defers; nothing is given up', async () => {
    const release = await publish('4.0.0', FOREVER);
    const here = await site({ engine: ['/nowhere/podman'] });
    expect(await here.must(['update'], 5)).toMatchObject({ outcome: 'deferred', release, reason: 'DRIVER_NOT_READY' });
    expect(await here.must(['status'])).toMatchObject({ state: 'idle', current: null });
  });

  test('B9 podman: killed at any point of a switch, the next command leaves the new pods, and only them', async () => {
    await publish('5.0.0', FOREVER);
    const here = await site();
    await here.must(['update']);
    const next = await publish('5.1.0', FOREVER);
    for (const point of ['update:workload-recorded', 'update:stopped', 'update:started', 'update:probation']) {
      await killAt(point, 'sealane-site', ['update', '--config', here.config, '--state', here.state]);
      expect(await here.must(['update']), point).toMatchObject({ outcome: 'installed', release: next });
      expect(await runs()).toBe('5.1.0 5.1.0');
      expect((await engine.say('pod', 'ps', '--quiet')).trim().split('\n')).toHaveLength(1);
      await here.must(['rollback']);
      expect(await runs()).toBe('5.0.0 5.0.0');
      await here.must(['unhold', next]);
    }
    await here.stop();
  });
});
