/**
 * A site's commands cut off anywhere: a sample of what `npm run reliability` tries. Each cut ends, without anybody, with the old release or the new one,
 * whole, running and healthy, and with each receipt once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Image, imageOf, pendingAt, seeded } from '../reliability/disk-states.js';
import { buildFsPoints, whyNoPoints } from '../reliability/fs-points.js';
import { callsOf, cut, type Cut } from '../reliability/kills.js';
import { differences, disksOf, imageOfAll, recoverFrom, traceScenario, type TracedScenario } from '../reliability/power-cuts.js';
import { type CutWorld, makeCutWorld, POWER_SCENARIOS, type Scenario, SCENARIOS } from '../reliability/scenes.js';

const why = whyNoPoints();
const NOTHING_KEPT = { writes: 0, lost: [] };

describe.skipIf(why !== undefined)(`B7 cut off anywhere${why === undefined ? '' : ` (${why})`}`, () => {
  let world: CutWorld;
  let library: string;
  let traced: readonly TracedScenario[];
  let calls: ReadonlyMap<Scenario, readonly string[]>;

  beforeAll(async () => {
    world = await makeCutWorld();
    library = buildFsPoints(world.dir);
    const all: TracedScenario[] = [];
    for (const scenario of POWER_SCENARIOS) all.push(await traceScenario(world, library, scenario));
    traced = all;
    const counted = new Map<Scenario, readonly string[]>();
    for (const scenario of SCENARIOS) counted.set(scenario, await callsOf(world, library, scenario));
    calls = counted;
  });

  afterAll(() => {
    world.close();
  });

  test('B7 killed at a call, and again in the recovery', async () => {
    for (const scenario of SCENARIOS) {
      const { length } = calls.get(scenario) ?? [];
      await expectRecovered(scenario, { fault: 'kill', at: Math.round(length * 0.8), again: [12] });
    }
  });

  test('B7 failed at a write: an error, half of it, and no space from there on', async () => {
    const faults = ['EIO', 'short', 'full'] as const;
    for (const [index, scenario] of SCENARIOS.entries()) {
      const writes = (calls.get(scenario) ?? []).flatMap((call, number) => (call === 'write' ? [number + 1] : []));
      await expectRecovered(scenario, { fault: faults[index % faults.length] ?? 'EIO', at: writes.at(-3) ?? 0, again: [] });
    }
  });

  async function expectRecovered(scenario: Scenario, what: Cut): Promise<void> {
    const { faults, points, endedAt } = await cut(world, library, scenario, what);
    expect({ scenario: scenario.name, what, faults, met: points > 0 }).toEqual({ scenario: scenario.name, what, faults: [], met: true });
    expect(scenario.ends).toContain(endedAt);
  }

  test('B7 nothing that a command did to its folder is missing in its trace', () => {
    for (const { trace, after } of traced) expect(differences(imageOfAll(trace), after)).toEqual([]);
  });

  test('B7 what is unpacked is flushed at once, and a release is not whole without that', async () => {
    for (const one of traced) {
      const { trace } = one;
      const flush = trace.operations.findLastIndex((operation) => operation.is === 'sync' && operation.node === null);
      if (flush === -1) continue;
      const lost = (without?: number): Image => {
        const pending = pendingAt(trace, trace.operations.length, without);
        return imageOf(trace, {
          pending,
          entries: new Set(pending.entries),
          data: new Map([...pending.data.keys()].map((file) => [file, NOTHING_KEPT])),
        });
      };
      expect(await recoverFrom(world, one, lost())).toEqual([]);
      expect(await recoverFrom(world, one, lost(flush))).not.toEqual([]);
      return;
    }
    expect.fail('no command flushed a release');
  });

  test('B7 the power goes: a sample of the disks that it may leave', async () => {
    for (const one of traced) {
      const disks = [...disksOf(one.trace, 2, seeded(1), new Set())];
      const step = Math.ceil(disks.length / 7);
      for (const { at, image } of disks.filter((_, index) => index % step === 0))
        expect({ scenario: one.scenario.name, at, faults: await recoverFrom(world, one, image) }).toEqual({
          scenario: one.scenario.name,
          at,
          faults: [],
        });
    }
  });
});
