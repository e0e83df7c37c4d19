/** `npm run reliability`: one flush taken away at a time: is there a disk that only its absence makes possible and that is not recovered? */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { buildFsPoints } from './fs-points.js';
import { disksOf, recoverFrom, traceScenario, type TracedScenario } from './power-cuts.js';
import { writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { type CutWorld, makeCutWorld, POWER_SCENARIOS } from './scenes.js';

/** Disks tried for each flush, until one is not recovered: of cuts at the very end, where all else is flushed, and of any. */
const AT_THE_END = 8;
const DISKS = 16;

test('each flush is missed, or the page says why it is there', async () => {
  const world = await makeCutWorld();
  const file = resultsFile('flushes.jsonl');
  try {
    const library = buildFsPoints(world.dir);
    const traced: TracedScenario[] = [];
    for (const scenario of POWER_SCENARIOS) traced.push(await traceScenario(world, library, scenario));
    for (const { one, index, flush } of inAnyOrder(traced.flatMap(flushesOf))) {
      if (timeIsUp()) break;
      const answer = await firstFault(world, one, index);
      appendFileSync(file, `${JSON.stringify({ scenario: one.scenario.name, flush, ...answer })}\n`);
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
