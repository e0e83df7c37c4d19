/** Row B10: a site without any link, resolver or time source, its clock set to 1970 and to 2099. What was brought before still deploys; what happens is told later. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { canIsolate, isolate, type Isolated } from '../support/netns.js';
import { type Answer, commandWords, runProgram, type Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

/** How far the clock of the site is off, with the word for it in the names of tests. */
const CLOCKS = { in1970: -Date.now(), in2099: Date.parse('2099-01-01T00:00:00Z') - Date.now() } as const;

describe.skipIf(!canIsolate())('B10 cut off (skipped where no network namespace can be made)', () => {
  let dir: string;
  let lane: TestLane;
  let server: Server;
  let inside: Isolated;
  let site: TestSite;
  const releases: Record<string, string> = {};

  /** Runs a command where nothing and nobody can be reached, by a clock that is off; `fetch`, which it starts, has the same one. */
  const cutOff = async (clock: keyof typeof CLOCKS, ...words: readonly string[]): Promise<Answer> => {
    const [enter, ...before] = inside.enter;
    const command = commandWords('sealane-site', [...words, '--config', site.config, '--state', site.state, '--json']);
    const env = { NODE_OPTIONS: clockAhead(CLOCKS[clock]).node?.join(' ') ?? '' };
    const ended = await runProgram(enter, [...before, process.execPath, ...command], { env });
    return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
  };
  const expectCutOff = async (clock: keyof typeof CLOCKS, words: readonly string[], exit: number, what: object): Promise<void> => {
    const answer = await cutOff(clock, ...words);
    expect({ exit: answer.exit, ...answer.json }, answer.stderr + answer.stdout).toMatchObject({ exit, ...what });
  };
  const publish = async (version: string, files?: Readonly<Record<string, string>>): Promise<void> => {
    releases[version] = await lane.release(version, files);
    await lane.promote(releases[version]);
  };
  const mediumWith = async (version: string, files?: Readonly<Record<string, string>>): Promise<string> => {
    await publish(version, files);
    const out = path.join(dir, `medium-${version}`);
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', out]);
    return out;
  };
  const queued = (): number => readdirSync(path.join(site.state, 'receipts')).filter((name) => /^\d+\.json$/.test(name)).length;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b10-'));
    lane = await makeLane(dir);
    server = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\nissuers: []\ncallers: []\n');
    inside = await isolate();
    await publish('1.0.0');
    site = await enrolSite(lane, path.join(dir, 'site'), {
      upstreams: [server.url],
      receiptsTo: server.url,
      yaml: 'keep: 4',
      driver: { start: ['/bin/sh', '-c', 'test ! -f app/srv/bad && exec sleep 600'], startSeconds: 2 },
    });
    await site.must(['update']);
    await publish('1.1.0');
    await site.must(['mirror', 'sync']);
  });

  afterAll(async () => {
    await site.stop();
    inside.stop();
    await server.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('B10 by a clock in 1970 what was mirrored deploys and is watched; a bad one off a medium is rolled back; the receipts wait', async () => {
    await expectCutOff('in1970', ['update'], 0, { outcome: 'installed', release: releases['1.1.0'] });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    const bad = await mediumWith('1.2.0', { 'srv/bad': 'yes\n' });
    await expectCutOff('in1970', ['media', 'import', bad], 0, {});
    await expectCutOff('in1970', ['update'], 7, { outcome: 'rolled-back', reason: 'HEALTH_FAILED', release: releases['1.2.0'] });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    const good = await mediumWith('1.3.0');
    await expectCutOff('in1970', ['media', 'import', good], 0, {});
    await expectCutOff('in1970', ['update'], 0, { outcome: 'installed', release: releases['1.3.0'] });
    await expectCutOff('in1970', ['rollback'], 0, { outcome: 'installed', release: releases['1.1.0'] });
    await expectCutOff('in1970', ['status'], 0, {
      receiptsQueued: 4,
      workload: { is: 'running' },
      current: { release: releases['1.1.0'] },
    });
  });

  test('B10 by a clock in 2099 trust has expired: nothing new is installed, what runs goes on, operators act', async () => {
    await publish('1.4.0');
    await site.must(['mirror', 'sync']);
    await expectCutOff('in2099', ['update'], 6, { outcome: 'deferred', reason: 'FETCH_FAILED' });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    const medium = path.join(dir, 'medium-1.4.0');
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    await expectCutOff('in2099', ['media', 'import', medium], 4, { error: expect.objectContaining({ code: 'TRUST_EXPIRED' }) as object });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    await expectCutOff('in2099', ['stop'], 0, {});
    await expectCutOff('in2099', ['start'], 0, { workload: { is: 'running' } });
    await expectCutOff('in2099', ['rollback', releases['1.0.0'] ?? ''], 0, { outcome: 'installed', release: releases['1.0.0'] });
    await expectCutOff('in2099', ['hold', '--reason', 'nobody is here'], 0, {});
    await expectCutOff('in2099', ['status'], 0, { receiptsQueued: 5, workload: { is: 'running' } });
    await expectCutOff('in2099', ['unhold'], 0, {});
  });

  test('B10 with the link back all receipts arrive in order and exactly once, also those that a medium carried before', async () => {
    const out = path.join(dir, 'carried');
    await site.must(['receipt', 'export', out]);
    const files = readdirSync(out).map((name) => path.join(out, name));
    await lane.sealane(['statement', 'add', ...files.slice(0, 2)]);
    expect(queued()).toBe(5);
    await site.must(['update']);
    expect((await site.must(['status'])).receiptsQueued).toBe(0);
    const { answer, complete } = await lane.sealane(['audit', 'at', 'harbour-7']);
    const history = answer.history as { seq: number; event: string }[];
    expect(history.map(({ seq, event }) => [seq, event])).toEqual([
      [1, 'installed'],
      [2, 'installed'],
      [3, 'rolled-back'],
      [4, 'installed'],
      [5, 'rollback'],
      [6, 'rollback'],
      [7, 'installed'],
    ]);
    expect({ missing: answer.missing, doubts: answer.doubts, complete }).toEqual({ missing: [], doubts: [], complete: true });
  });
});
