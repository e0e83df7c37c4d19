/** `npm run reliability`: one flush taken away at a time: is there a disk that only its absence makes possible and that is not recovered? */
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { keptWorld } from './kept-world.js';
import { disksOf, recoverFrom, type TracedScenario } from './power-cuts.js';
import { type TakenFlush, writeReport } from './report.js';
import { openResults, timeIsUp } from './results.js';
import { type CutWorld, POWER_SCENARIOS } from './scenes.js';
import { keptTraces } from './traced-scenarios.js';

/** Disks tried for each flush, until one is not recovered: of cuts at the very end, where all else is flushed, and of any. */
const AT_THE_END = 8;
const DISKS = 16;

test('each flush is missed, or the page says why it is there', async () => {
  const world = await keptWorld('flushes', 'flushes.jsonl');
  const { before, add } = openResults<TakenFlush>('flushes.jsonl');
  try {
    const done = new Set(before.map(({ scenario, index }) => `${scenario} ${index}`));
    const traced = (await keptTraces(world)).filter(({ scenario }) => POWER_SCENARIOS.includes(scenario));
    for (const { one, index, flush } of inAnyOrder(traced.flatMap(flushesOf))) {
      if (timeIsUp()) break;
      const scenario = one.scenario.name;
      if (!done.has(`${scenario} ${index}`)) add({ scenario, index, flush, ...(await firstFault(world, one, index)) });
    }
    expect(traced.length).toBe(POWER_SCENARIOS.length);
  } finally {
    world.close();
    await writeReport();
  }
});

function flushesOf(one: TracedScenario): readonly { readonly one: TracedScenario; readonly index: number; readonly flush: string }[] {
  return one.trace.operations.flatMap((operation, index) => (operation.is === 'sync' ? [{ one, index, flush: operation.path }] : []));
}

/** A run that is broken off has tried a fair part; the same part in every run. */
function inAnyOrder<T>(all: readonly T[]): readonly T[] {
  const random = seeded(4);
  const ranked = all.map((one) => ({ one, rank: random() })).sort((left, right) => left.rank - right.rank);
  return ranked.map(({ one }) => one);
}

const legal = new WeakMap<TracedScenario, Set<string>>();

/** The disks that may be left with all flushes in place. */
function legalDisks(one: TracedScenario): Set<string> {
  const known = legal.get(one) ?? new Set<string>();
  if (!legal.has(one)) for (const disk of disksOf(one.trace, 0, seeded(2), known)) void disk;
  legal.set(one, known);
  return known;
}

async function firstFault(
  world: CutWorld,
  one: TracedScenario,
  index: number,
): Promise<{ readonly tried: number; readonly found: string | null }> {
  const all = [...disksOf(one.trace, 0, seeded(3), new Set(legalDisks(one)), index)];
  const disks = [...all.slice(-AT_THE_END).reverse(), ...inAnyOrder(all.slice(0, -AT_THE_END))].slice(0, DISKS);
  for (const [number, { image }] of disks.entries()) {
    const [found] = await recoverFrom(world, one, image);
    if (found !== undefined) return { tried: number + 1, found };
  }
  return { tried: disks.length, found: null };
}
