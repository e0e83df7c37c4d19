/** `sealane audit awareness`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { awareness, type Awareness } from '../answers/awareness.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditAwareness: CommandSpec = {
  name: 'audit awareness',
  summary: 'when each site could have known that a release was revoked',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: ASKED,
  example: 'sealane audit awareness readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => awareness(context, argument(call, 0), asked), lines);
}

function lines({ name, version, revocations, sites, notSeen }: Awareness): readonly string[] {
  return [
    `${name}@${version}: ${revocations.length === 0 ? 'never revoked' : `revoked, witnessed ${revocations[0]?.witnessed ?? 'by nobody yet'}`}`,
    ...sites.map(
      ({ site, lastUnaware, firstAware, runsNow }) =>
        `  ${site}: learned of it after ${lastUnaware ?? 'its enrolment'}, ${firstAware === null ? 'by no receipt yet' : `by ${firstAware}`}${runsNow ? ', and runs it still' : ''}`,
    ),
    ...notSeen.map((what) => `  not seen: ${what}`),
  ];
}
