/** `npm run powercut`: the power of a virtual machine is cut, and what its disk may hold then recovered. */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { inTurn } from './in-turn.js';
import { cutsOf, REAL_SCENARIOS, record, recoverCut, type Recording } from './real-cuts.js';
import { type RealCut, writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { type CutWorld, makeCutWorld } from './scenes.js';
import { whyNoMachine } from './virtual-machine.js';
import type { CutDisk } from './write-log.js';

/** Cuts in all. */
const CUTS = Number(process.env['SEALANE_POWERCUTS'] ?? 500);

const why = whyNoMachine();

test.skipIf(why !== undefined)(`the power of a machine is cut${why === undefined ? '' : ` (${why})`}`, async () => {
  const world = await makeCutWorld();
  const file = resultsFile('real-cuts.jsonl');
  const failed: string[] = [];
  try {
    // the harsher way first: a run that is broken off has at least that
    for (const mount of ['loose', 'default'] as const) {
      if (timeIsUp()) break;
      for await (const result of cutAll(world, await record(world, REAL_SCENARIOS, mount))) {
        appendFileSync(file, `${JSON.stringify(result)}\n`);
        failed.push(...result.faults);
      }
    }
  } finally {
    world.close();
    await writeReport();
  }
  expect(failed).toEqual([]);
});

/** Cuts recordings in turn, until half of all cuts are done or the time is up; says what became of each. */
async function* cutAll(world: CutWorld, recordings: readonly Recording[]): AsyncGenerator<RealCut> {
  const each = Math.ceil(CUTS / 2 / recordings.length);
  for (const { one, cut } of inTurn(recordings.map((recording) => allOf(recording, each)))) {
    const faults = await recoverCut(world, one, cut);
    yield { scenario: one.scenario.name, mount: one.mount, at: cut.at - one.begin, answered: cut.at > one.end, faults };
    if (timeIsUp()) return;
  }
}

function* allOf(one: Recording, count: number): Generator<{ one: Recording; cut: CutDisk }> {
  for (const cut of cutsOf(one, count, seeded(1))) yield { one, cut };
}
