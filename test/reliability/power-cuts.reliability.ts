/** `npm run reliability`: every disk that the model says a power cut may leave, recovered; then the same with one flush taken away at a time. */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Image, seeded } from './disk-states.js';
import { buildFsPoints } from './fs-points.js';
import { disksOf, recoverFrom, traceScenario, type TracedScenario } from './power-cuts.js';
import { writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { type CutWorld, makeCutWorld, POWER_SCENARIOS } from './scenes.js';

/** States of chance at each moment, beside those that are chosen. */
const BY_CHANCE = 400;

/** Disks tried for each flush that is taken away, until one is not recovered. */
const WITHOUT_FLUSH = 40;

test('the power goes at any moment', async () => {
  const world = await makeCutWorld();
  const [cuts, flushes] = [resultsFile('power-cuts.jsonl'), resultsFile('flushes.jsonl')];
  try {
    const library = buildFsPoints(world.dir);
    const traced: TracedScenario[] = [];
    for (const scenario of POWER_SCENARIOS) traced.push(await traceScenario(world, library, scenario));
    for (const one of traced) await withoutFlushes(world, one, flushes);
    for (const { one, at, image } of inTurn(traced)) {
      if (timeIsUp()) break;
      const faults = await recoverFrom(world, one, image);
      appendFileSync(cuts, `${JSON.stringify({ scenario: one.scenario.name, at, faults })}\n`);
    }
    expect(traced.length).toBe(POWER_SCENARIOS.length);
  } finally {
    world.close();
    await writeReport();
  }
});

/** One disk of each scenario in turn: a run that is broken off has tried a fair part. */
function* inTurn(traced: readonly TracedScenario[]): Generator<{ one: TracedScenario; at: number; image: Image }> {
  let open = traced.map((one) => ({ one, disks: disksOf(one.trace, BY_CHANCE, seeded(1), new Set()) }));
  while (open.length > 0) {
    const still: typeof open = [];
    for (const { one, disks } of open) {
      const next = disks.next();
      if (next.done === true) continue;
      still.push({ one, disks });
      yield { one, ...next.value };
    }
    open = still;
  }
}

/** For each flush of a trace: whether a disk that only its absence makes possible is not recovered. */
async function withoutFlushes(world: CutWorld, one: TracedScenario, file: string): Promise<void> {
  const legal = new Set<string>();
  for (const { image } of disksOf(one.trace, 0, seeded(2), legal)) void image;
  for (const [index, operation] of one.trace.operations.entries()) {
    if (operation.is !== 'sync' || timeIsUp()) continue;
    const { tried, found } = await firstFault(world, one, disksOf(one.trace, 0, seeded(3), new Set(legal), index));
    appendFileSync(file, `${JSON.stringify({ scenario: one.scenario.name, flush: operation.path, tried, found })}\n`);
  }
}

async function firstFault(
  world: CutWorld,
  one: TracedScenario,
  disks: Iterable<{ readonly image: Image }>,
): Promise<{ readonly tried: number; readonly found: string | null }> {
  let tried = 0;
  for (const { image } of disks) {
    tried += 1;
    const [found] = await recoverFrom(world, one, image);
    if (found !== undefined) return { tried, found };
    if (tried === WITHOUT_FLUSH) break;
  }
  return { tried, found: null };
}
