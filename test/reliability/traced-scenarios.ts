/** The traces that power cuts are enumerated from: of each command, and of the command after one that was killed on its way. Kept with their world. */
import path from 'node:path';
import { buildFsPoints } from './fs-points.js';
import { keptIn } from './kept-world.js';
import { callsOf } from './kills.js';
import { traceScenario, type TracedScenario } from './power-cuts.js';
import { type CutWorld, POWER_SCENARIOS, type Scenario } from './scenes.js';

/** A command is killed at this many calls, spread over all of it; what comes after is cut off as well. */
const KILLED = 6;

/** Traces each scenario, or takes what an earlier run in this world traced. */
export async function keptTraces(world: CutWorld): Promise<readonly TracedScenario[]> {
  const library = buildFsPoints(world.scenes);
  const traced: TracedScenario[] = [];
  for (const scenario of POWER_SCENARIOS) traced.push(...(await keptTracesOf(world, library, scenario)));
  return traced;
}

async function keptTracesOf(world: CutWorld, library: string, scenario: Scenario): Promise<readonly TracedScenario[]> {
  const killed = { ...scenario, name: `${scenario.name}, killed, then this` };
  const kept = await keptIn(path.join(world.dir, '..'), `${scenario.name}.traces`, async () => {
    const { length } = await callsOf(world, library, scenario);
    const whole = await traceScenario(world, library, scenario);
    const recoveries: TracedScenario[] = [];
    for (let kill = 1; kill <= KILLED; kill += 1)
      recoveries.push(await traceScenario(world, library, scenario, Math.ceil((kill * length) / (KILLED + 1))));
    return [whole, ...recoveries].map(({ trace, after, receipts }) => ({ trace, after, receipts }));
  });
  return kept.map((one, number) => ({ ...one, scenario: number === 0 ? scenario : killed }));
}
