/** `sealane audit unit`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { unit, type Unit } from '../answers/unit.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditUnit: CommandSpec = {
  name: 'audit unit',
  summary: 'everything that was tested on one unit or class of device, and the sites that have one',
  arguments: [{ name: 'unit', description: 'serial, class, model, or a firmware such as "BIOS 2.14.1"' }],
  options: ASKED,
  example: 'sealane audit unit NR0001 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => unit(context, argument(call, 0), asked), lines);
}

function lines({ unit: wanted, runs, releases, recalls, sites }: Unit): readonly string[] {
  return [
    `${wanted}: ${counted(runs.length, 'run')} of ${counted(releases.length, 'release')}`,
    ...runs.map(({ at, suite, result, release }) => `  ${at}  ${suite} ${result}  ${release}`),
    ...recalls.map(({ reason, untilIndex }) => `  recalled from entry ${untilIndex} on: ${reason}`),
    ...sites.map(({ site, since, until }) => `  at ${site} ${since} to ${until ?? 'now'}`),
  ];
}
