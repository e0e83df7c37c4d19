/** `npm run powercut`: the power of a virtual machine is cut, and what its disk may hold then recovered. */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { inTurn } from './in-turn.js';
import { cutsOf, type Mount, REAL_SCENARIOS, record, recoverCut, type Recording } from './real-cuts.js';
import { writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { makeCutWorld } from './scenes.js';
import { whyNoMachine } from './virtual-machine.js';
import type { CutDisk } from './write-log.js';

/** Cuts in all. */
const CUTS = Number(process.env['SEALANE_POWERCUTS'] ?? 500);

const why = whyNoMachine();

test.skipIf(why !== undefined)(`the power of a machine is cut${why === undefined ? '' : ` (${why})`}`, async () => {
  const world = await makeCutWorld();
  const file = resultsFile('real-cuts.jsonl');
  const results: {
    readonly scenario: string;
    readonly mount: Mount;
    readonly at: number;
    readonly answered: boolean;
    readonly faults: readonly string[];
  }[] = [];
  try {
    // the harsher way first: a run that is broken off has at least that
    for (const mount of ['loose', 'default'] as const) {
      if (timeIsUp()) break;
      const recordings = await record(world, REAL_SCENARIOS, mount);
      const each = Math.ceil(CUTS / (2 * recordings.length));
      for (const { one, cut } of inTurn(recordings.map((recording) => allOf(recording, each)))) {
        const faults = await recoverCut(world, one, cut);
        results.push({ scenario: one.scenario.name, mount, at: cut.at - one.begin, answered: cut.at > one.end, faults });
        appendFileSync(file, `${JSON.stringify(results.at(-1))}\n`);
        if (timeIsUp()) break;
      }
    }
  } finally {
    world.close();
    await writeReport();
  }
  expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
});

function* allOf(one: Recording, count: number): Generator<{ one: Recording; cut: CutDisk }> {
  for (const cut of cutsOf(one, count, seeded(1))) yield { one, cut };
}
