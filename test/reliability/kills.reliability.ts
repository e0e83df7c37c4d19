/** `npm run reliability`: SIGKILL and failures of the disk at every call of whole commands and of their recoveries, counted into docs/reliability.md. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Random, seeded } from './disk-states.js';
import { buildFsPoints } from './fs-points.js';
import { together } from './in-turn.js';
import { keptIn, keptWorld } from './kept-world.js';
import { callsOf, cut, type Cut, type CutResult, faultsOf } from './kills.js';
import { writeReport } from './report.js';
import { isOurs, openResults, timeIsUp } from './results.js';
import { type Scenario, SCENARIOS } from './scenes.js';

/** Recoveries that are killed as well after each fault. */
const KILLED_AGAIN = 5;

/** A recovery makes about as many calls as this at most. */
const MOST_CALLS = 120;

/** Scenes at once: a command waits most of its time. */
const AT_ONCE = 2;

test('killed or failed at every call', async () => {
  const world = await keptWorld('kills', 'kills.jsonl');
  const { before, add } = openResults<CutResult>('kills.jsonl');
  try {
    const library = buildFsPoints(world.scenes);
    const done = new Set(before.map(({ scenario, fault, at }) => `${scenario} ${fault} ${at}`));
    const calls = await keptIn(path.join(world.dir, '..'), 'calls', async () => {
      const all: (readonly string[])[] = [];
      for (const scenario of SCENARIOS) all.push(await callsOf(world, library, scenario));
      return all;
    });
    const random = seeded(1);
    const all = SCENARIOS.flatMap((scenario, number) => plan(scenario, calls[number] ?? [], random));
    // in an order of chance: a run that is broken off has tried a fair part
    const order = all.map((one) => ({ one, rank: random() })).sort((left, right) => left.rank - right.rank);
    await together(AT_ONCE, order, async ({ one: { scenario, cut: where } }) => {
      if (timeIsUp()) return false;
      const name = `${scenario.name} ${where.fault} ${where.at}`;
      if (isOurs(name) && !done.has(name)) add(await cut(world, library, scenario, where));
      return true;
    });
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

/** Every fault that each call can have; after each some recoveries are killed too. */
function plan(scenario: Scenario, calls: readonly string[], random: Random): readonly Planned[] {
  return calls.flatMap((call, index) =>
    faultsOf(call).map((fault) => {
      // rather early than late: a recovery that was not met has recovered, and what comes then makes few calls
      const again = Array.from({ length: KILLED_AGAIN }, () => 1 + Math.floor(random() ** 2 * MOST_CALLS));
      return { scenario, cut: { fault, at: index + 1, again } };
    }),
  );
}
