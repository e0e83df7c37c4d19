/** `npm run reliability`: SIGKILL at every call of an update of the updater itself, and of the starts that follow. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { buildFsPoints } from './fs-points.js';
import { together } from './in-turn.js';
import type { CutResult } from './kills.js';
import { writeReport } from './report.js';
import { openResults, timeIsUp } from './results.js';
import { callsOfSelf, cutSelf, makeSelfWorld } from './self-kills.js';

/** Starts that are killed as well after each kill. */
const KILLED_AGAIN = 2;

/** Updates at once: each waits for its health most of its time. */
const AT_ONCE = 2;

test('an update of the updater is killed at every call', async () => {
  const dir = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-self-'));
  const { before, add } = openResults<CutResult>('self-kills.jsonl');
  const base = await makeSelfWorld(dir);
  try {
    const library = buildFsPoints(dir);
    const calls = await callsOfSelf(base, library);
    const random = seeded(6);
    const done = new Set(before.map(({ at }) => at));
    const all = Array.from({ length: calls }, (_, index) => ({
      at: index + 1,
      again: Array.from({ length: KILLED_AGAIN }, () => 1 + Math.floor(random() * calls * 0.3)),
      rank: random(),
    }));
    // in an order of chance: a run that is broken off has tried a fair part
    await together(
      AT_ONCE,
      all.sort((left, right) => left.rank - right.rank),
      async ({ at, again }) => {
        if (timeIsUp()) return false;
        if (!done.has(at)) add(await cutSelf(base, library, at, again));
        return true;
      },
    );
    expect(calls).toBeGreaterThan(100);
  } finally {
    await base.lane.stop();
    rmSync(dir, { recursive: true, force: true });
    await writeReport();
  }
});
