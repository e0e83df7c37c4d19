/** Publishing killed between any two files: the lane that is there is the old one or the new one, and the next publish goes on. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { commandWords, expectJson } from '../support/run.js';
import { countCalls, type Injection, runTraced } from '../support/traced.js';

const strace = requireProgram('strace');

describe.skipIf(strace === undefined)('publish (skipped without strace)', () => {
  let dir: string;
  let lane: TestLane;
  /** A home that has logged more than it has published. */
  let template: string;
  let renames: number;

  const checkpointOf = (home: string): string => readFileSync(path.join(home, 'lane', 'log', 'checkpoint'), 'utf8');
  const sizeOf = (home: string): number => Number(checkpointOf(home).split('\n')[1]);

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-publish-'));
    lane = await makeLane(dir);
    const release = await lane.release('1.0.0');
    await lane.promote(release, 'dev');
    await lane.evidence(release);
    template = path.join(dir, 'template');
    cpSync(lane.home, template, { recursive: true, verbatimSymlinks: true });
    const whole = copyOf();
    expect((await publishAt(whole)).exit).toBe(0);
    renames = countCalls(path.join(dir, 'strace.log')).get('rename') ?? 0;
    expect(sizeOf(whole)).toBeGreaterThan(sizeOf(template));
  });

  afterAll(async () => {
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function copyOf(): string {
    const home = path.join(mkdtempSync(path.join(dir, 'copy-')), 'home');
    cpSync(template, home, { recursive: true, verbatimSymlinks: true });
    return home;
  }

  const publishAt = (home: string, injection?: Injection): ReturnType<typeof runTraced> =>
    runTraced(
      {
        strace: strace ?? '',
        log: path.join(dir, 'strace.log'),
        paths: [],
        calls: ['rename'],
        command: commandWords('sealane', ['publish', '--refresh', '--home', home]),
      },
      injection,
    );

  it('killed before any of its files takes its place leaves the old lane or the new', async () => {
    // entries, hashes, checkpoint; snapshot and timestamp
    expect(renames).toBeGreaterThanOrEqual(5);
    const after: boolean[] = [];
    for (let when = 1; when <= renames; when += 1) {
      const home = copyOf();
      expect((await publishAt(home, { call: 'rename', what: 'signal=KILL', when })).signal).toBe('SIGKILL');
      const isOld = checkpointOf(home) === checkpointOf(template);
      after.push(isOld);
      // the published log is whole, down to each file that its checkpoint needs; and so is the trust above it
      const sound = await expectJson('sealane', ['audit', 'verify', '--home', home]);
      expect(sound.answer).toEqual({ ok: true, problems: [] });
      await expectJson('sealane', ['trust', 'verify', '--home', home]);
      await expectJson('sealane', ['publish', '--refresh', '--home', home]);
      expect(sizeOf(home)).toBeGreaterThan(sizeOf(template));
      rmSync(path.dirname(home), { recursive: true });
    }
    // both have been seen, and never the old one after the new
    expect(after[0]).toBe(true);
    expect(after.at(-1)).toBe(false);
    expect([...after].sort()).toEqual([...after].reverse());
  });
});
