/**
 * The power of a machine goes while a site updates: a sample of what `npm run powercut` tries. The commands run in a virtual machine, its disk is rebuilt as it
 * may have been at a moment, and recovers to one whole release.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../reliability/disk-states.js';
import { cutsOf, flushLess, record, recoverCut, type Recording } from '../reliability/real-cuts.js';
import { type CutWorld, makeCutWorld, POWER_SCENARIOS, type Scenario } from '../reliability/scenes.js';
import { whyNoMachine } from '../reliability/virtual-machine.js';

const why = whyNoMachine();

describe.skipIf(why !== undefined)(`B7 power cuts of a machine${why === undefined ? '' : ` (${why})`}`, () => {
  let world: CutWorld;
  let recordings: readonly Recording[];

  beforeAll(async () => {
    world = await makeCutWorld();
    const [update, rollback] = [scenario('update'), scenario('rollback by hand')];
    recordings = await record(world, [update, rollback, { ...update, broken: flushLess('state/journal') }], 'loose');
  }, 600_000);

  afterAll(() => {
    world.close();
  });

  test('B7 a dozen cuts of an update and of a rollback: old or new, running and healthy, each receipt once', async () => {
    for (const recording of recordings.slice(0, 2)) {
      const { entries, begin, end } = recording;
      expect(entries.slice(begin, end).filter(({ is }) => is === 'flush').length).toBeGreaterThan(10);
      for (const cut of cutsOf(recording, 6, seeded(1)))
        expect({ at: cut.at, of: entries.length, faults: await recoverCut(world, recording, cut) }).toMatchObject({ faults: [] });
    }
  });

  test('B7 without one flush of the updater such cuts do harm', async () => {
    expect(await firstFault(recordings.slice(2))).toMatch(/queue receipt 2: expected no other one|read the journal/);
  });

  async function firstFault(some: readonly Recording[]): Promise<string | undefined> {
    for (const recording of some)
      // what the journal did not keep is missed late: where the receipt is there already
      for (const cut of cutsOf({ ...recording, begin: Math.round(recording.end * 0.85) }, 30, seeded(1))) {
        const [fault] = await recoverCut(world, recording, cut);
        if (fault !== undefined) return fault;
      }
    return undefined;
  }
});

function scenario(name: string): Scenario {
  const found = POWER_SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`find the scenario ${name}: expected one`);
  return found;
}
