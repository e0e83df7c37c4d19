/**
 * Random sequences of commands, retries, crashes and concurrent callers against a small oracle: no stage of a DAG is ever skipped, and nothing that may pass is held up.
 *
 * `SEALANE_MODEL_RUNS` tries more sequences than the few of a normal run.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeHome } from '../../packages/promoter/src/testing/test-home.js';
import { PIPELINE } from './lane-model.js';
import { mixedIn, steps, Walk } from './lane-walk.js';

const RUNS = Number(process.env['SEALANE_MODEL_RUNS'] ?? '4');

describe('A2 any DAG of stages', () => {
  test('no sequence of commands, retries, crashes or concurrent callers skips a stage', { timeout: 200_000 * (RUNS + 2) }, async () => {
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), async (random, places) => {
        const home = await makeHome(PIPELINE);
        try {
          const walk = new Walk(home);
          await walk.begin();
          for (const each of mixedIn(random, places)) await walk.take(each);
          await walk.expectChannels();
          await walk.expectLedger();
          reached += 1;
        } finally {
          await home.stop();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(reached).toBe(RUNS);
  });
});
