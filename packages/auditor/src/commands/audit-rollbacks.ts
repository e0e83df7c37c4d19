/** `sealane audit rollbacks`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { rollbacks, type Rollbacks } from '../answers/rollbacks.js';
import { answerQuestion, ASKED, given, STAGE } from './question.js';

export const auditRollbacks: CommandSpec = {
  name: 'audit rollbacks',
  summary: 'what was rolled back, by sites themselves, by hand or by a stage, and why',

  options: [STAGE, ...ASKED],
  example: 'sealane audit rollbacks --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => rollbacks(context, given(call, 'stage'), asked), lines);
}

function lines({ sites, stages }: Rollbacks): readonly string[] {
  return [
    `${counted(sites.length, 'rollback')} at sites, ${stages.length} of stages`,
    ...sites.map(
      ({ site, event, at, left, runs, reason, checks }) =>
        `  ${at}  ${site} ${event} from ${left ?? 'nothing'} to ${runs ?? 'nothing'}: ${[reason ?? 'by hand', ...checks.map(({ id, actual }) => `${id}: ${actual}`)].join(', ')}`,
    ),
    ...stages.map(
      ({ at, stage, groups, release, reason }) => `  ${at}  ${stage} (${groups.join(', ')}) to ${release ?? 'nothing'}: ${reason}`,
    ),
  ];
}
