/** `npm run reliability`: SIGKILL and failures of the disk at every call of whole commands and of their recoveries, counted into docs/reliability.md. */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Random, seeded } from './disk-states.js';
import { buildFsPoints } from './fs-points.js';
import { callsOf, cut, type Cut, faultsOf } from './kills.js';
import { writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { makeCutWorld, type Scenario, SCENARIOS } from './scenes.js';

/** Recoveries that are killed as well after each kill. */
const KILLED_AGAIN = 4;

/** A recovery makes about as many calls as this at most. */
const MOST_CALLS = 120;

/** Scenes at once: a command waits most of its time. */
const AT_ONCE = 2;

test('killed or failed at every call', async () => {
  const world = await makeCutWorld();
  const file = resultsFile('kills.jsonl');
  try {
    const library = buildFsPoints(world.dir);
    const random = seeded(1);
    const all: Planned[] = [];
    for (const scenario of SCENARIOS) all.push(...plan(scenario, await callsOf(world, library, scenario), random));
    // in an order of chance: a run that is broken off has tried a fair part
    const order = all.map((one) => ({ one, rank: random() })).sort((left, right) => left.rank - right.rank);
    const queue = order.values();
    const worker = async (): Promise<void> => {
      for (const { one } of queue) {
        if (timeIsUp()) return;
        appendFileSync(file, `${JSON.stringify(await cut(world, library, one.scenario, one.cut))}\n`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(all.length).toBeGreaterThan(1000);
  } finally {
    world.close();
    await writeReport();
  }
});

interface Planned {
  readonly scenario: Scenario;
  readonly cut: Cut;
}

/** Every fault that each call can have; after each kill some recoveries are killed too. */
function plan(scenario: Scenario, calls: readonly string[], random: Random): readonly Planned[] {
  return calls.flatMap((call, index) =>
    faultsOf(call).map((fault) => {
      const again = fault === 'kill' ? Array.from({ length: KILLED_AGAIN }, () => 1 + Math.floor(random() * MOST_CALLS)) : [];
      return { scenario, cut: { fault, at: index + 1, again } };
    }),
  );
}
