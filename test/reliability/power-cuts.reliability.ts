/** `npm run reliability`: every disk that the model says a power cut may leave, recovered. */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Image, seeded } from './disk-states.js';
import { buildFsPoints } from './fs-points.js';
import { inTurn } from './in-turn.js';
import { disksOf, recoverFrom, traceScenario, type TracedScenario } from './power-cuts.js';
import { writeReport } from './report.js';
import { resultsFile, timeIsUp } from './results.js';
import { makeCutWorld, POWER_SCENARIOS } from './scenes.js';

/** States of chance at each moment, beside those that are chosen. */
const BY_CHANCE = 600;

test('the power goes at any moment', async () => {
  const world = await makeCutWorld();
  const file = resultsFile('power-cuts.jsonl');
  try {
    const library = buildFsPoints(world.dir);
    const traced: TracedScenario[] = [];
    for (const scenario of POWER_SCENARIOS) traced.push(await traceScenario(world, library, scenario));
    for (const { one, at, image } of inTurn(traced.map(allOf))) {
      if (timeIsUp()) break;
      const faults = await recoverFrom(world, one, image);
      appendFileSync(file, `${JSON.stringify({ scenario: one.scenario.name, at, faults })}\n`);
    }
    expect(traced.length).toBe(POWER_SCENARIOS.length);
  } finally {
    world.close();
    await writeReport();
  }
});

function* allOf(one: TracedScenario): Generator<{ one: TracedScenario; at: number; image: Image }> {
  for (const disk of disksOf(one.trace, BY_CHANCE, seeded(1), new Set())) yield { one, ...disk };
}
