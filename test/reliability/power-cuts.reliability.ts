/** `npm run reliability`: every disk that the model says a power cut may leave, recovered. */
import { expect, test } from 'vitest';
import { seeded } from './disk-states.js';
import { inTurn, together } from './in-turn.js';
import { keptWorld } from './kept-world.js';
import { type Disk, disksOf, recoverFrom, type TracedScenario } from './power-cuts.js';
import { type CutDisk, writeReport } from './report.js';
import { isOurs, openResults, timeIsUp } from './results.js';
import { keptTraces } from './traced-scenarios.js';

/** States of chance at each moment, beside those that are chosen. */
const BY_CHANCE = 600;

/** Disks that recover at once: some of the time a recovery waits for a process. */
const AT_ONCE = 3;

/** What is enough of a disk's name to tell it from all others. */
const NAME_LETTERS = 16;

test('the power goes at any moment', async () => {
  const world = await keptWorld('disks', 'power-cuts.jsonl');
  const { before, add } = openResults<CutDisk>('power-cuts.jsonl');
  try {
    const traced = await keptTraces(world);
    const done = new Set(before.map(({ scenario, disk }) => `${scenario} ${disk}`));
    const seen = new Map<string, Set<string>>();
    for (const { scenario } of traced) seen.set(scenario.name, new Set());
    await together(
      AT_ONCE,
      inTurn(traced.map((one) => allOf(one, seen.get(one.scenario.name) ?? new Set()))),
      async ({ one, at, name, image }) => {
        if (timeIsUp()) return false;
        const [scenario, disk] = [one.scenario.name, name.slice(0, NAME_LETTERS)];
        if (isOurs(disk) && !done.has(`${scenario} ${disk}`)) add({ scenario, at, disk, faults: await recoverFrom(world, one, image) });
        return true;
      },
    );
    expect(traced.length).toBeGreaterThan(0);
  } finally {
    world.close();
    await writeReport();
  }
});

function* allOf(one: TracedScenario, seen: Set<string>): Generator<{ one: TracedScenario } & Disk> {
  for (const disk of disksOf(one.trace, BY_CHANCE, seeded(1), seen)) yield { one, ...disk };
}
