/** `npm run powercut`: the power of a virtual machine is cut, and what its disk may hold then recovered. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { inTurn, together } from './in-turn.js';
import { keptIn, keptWorld } from './kept-world.js';
import { cutsOf, type Mount, REAL_SCENARIOS, record, recoverCut, type Recording } from './real-cuts.js';
import { type RealCut, writeReport } from './report.js';
import { openResults, timeIsUp } from './results.js';
import type { CutWorld } from './scenes.js';
import { whyNoMachine } from './virtual-machine.js';
import type { CutDisk } from './write-log.js';

/** Cuts in all. */
const CUTS = Number(process.env['SEALANE_POWERCUTS'] ?? 500);

const RESULTS = 'real-cuts.jsonl';

const why = whyNoMachine();

test.skipIf(why !== undefined)(`the power of a machine is cut${why === undefined ? '' : ` (${why})`}`, async () => {
  const world = await keptWorld('machine', RESULTS);
  const { before, add } = openResults<RealCut>(RESULTS);
  const done = new Set(before.map(nameOf));
  const failed: string[] = [];
  try {
    // the harsher way first: a run that is broken off has at least that
    for (const mount of ['loose', 'default'] as const) {
      if (timeIsUp()) break;
      const wanted = cutsOfAll(await keptRecordings(world, mount)).filter(({ found }) => !done.has(nameOf(found)));
      await together(1, wanted, async ({ one, cut, found }) => {
        if (timeIsUp()) return false;
        const faults = await recoverCut(world, one, cut);
        add({ ...found, faults });
        failed.push(...faults);
        return true;
      });
    }
  } finally {
    world.close();
    await writeReport();
  }
  expect(failed).toEqual([]);
});

interface PlannedCut {
  readonly one: Recording;
  readonly cut: CutDisk;
  readonly found: Omit<RealCut, 'faults'>;
}

/** Half of all cuts, as many of each recording, in turn. */
function cutsOfAll(recordings: readonly Recording[]): readonly PlannedCut[] {
  const each = Math.ceil(CUTS / 2 / recordings.length);
  const all = recordings.map((one) => [...cutsOf(one, each, seeded(1))].map((cut) => ({ one, cut, found: foundIn(one, cut) })));
  return [...inTurn(all)];
}

function foundIn({ scenario, mount, begin, end }: Recording, { at, name }: CutDisk): PlannedCut['found'] {
  return { scenario: scenario.name, mount, at: at - begin, disk: name, answered: at > end };
}

function nameOf({ scenario, mount, disk }: Pick<RealCut, 'scenario' | 'mount' | 'disk'>): string {
  return `${scenario} ${mount} ${disk}`;
}

/** Recordings that an earlier run in this world made, or new ones: a machine takes minutes for them. */
async function keptRecordings(world: CutWorld, mount: Mount): Promise<readonly Recording[]> {
  const kept = await keptIn(path.join(world.dir, '..'), `recorded-${mount}`, async () =>
    (await record(world, REAL_SCENARIOS, mount)).map(({ scenario, ...rest }) => ({ ...rest, name: scenario.name })),
  );
  return kept.flatMap(({ name, ...rest }) =>
    REAL_SCENARIOS.filter((scenario) => scenario.name === name).map((scenario) => ({ ...rest, scenario })),
  );
}
