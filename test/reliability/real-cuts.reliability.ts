/** `npm run powercut`: the power of a virtual machine is cut, and what its disk may hold then recovered. */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { cutsOf, type Mount, MOUNTS, REAL_SCENARIOS, record, recoverCut } from './real-cuts.js';
import { writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { makeCutWorld } from './scenes.js';
import { whyNoMachine } from './virtual-machine.js';

/** Cuts in all. */
const CUTS = Number(process.env['SEALANE_POWERCUTS'] ?? 500);

const why = whyNoMachine();

test.skipIf(why !== undefined)(`the power of a real machine is cut${why === undefined ? '' : ` (${why})`}`, async () => {
  const world = await makeCutWorld();
  const file = resultsFile('real-cuts.jsonl');
  try {
    const mounts = Object.keys(MOUNTS) as readonly Mount[];
    const each = Math.ceil(CUTS / (mounts.length * REAL_SCENARIOS.length));
    for (const mount of mounts) {
      for (const recording of await record(world, REAL_SCENARIOS, mount)) {
        const { scenario, begin, end, entries } = recording;
        console.log(
          `${scenario.name}, ${mount}: ${entries.length - begin} writes and flushes, ${entries.slice(begin).filter(({ is }) => is === 'flush').length} flushes, ${end - begin} before its answer`,
        );
        for (const cut of cutsOf(recording, each, seeded(1))) {
          if (timeIsUp()) return;
          const faults = await recoverCut(world, recording, cut);
          appendFileSync(
            file,
            `${JSON.stringify({ scenario: scenario.name, mount, at: cut.at - begin, answered: cut.at > end, kept: cut.kept.length, faults })}\n`,
          );
        }
      }
    }
    expect(mounts.length).toBeGreaterThan(0);
  } finally {
    world.close();
    await writeReport();
  }
});
