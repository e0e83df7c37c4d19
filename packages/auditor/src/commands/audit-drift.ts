/** `sealane audit drift`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { drift, type Drift } from '../answers/drift.js';
import { answerQuestion, ASKED, given, STAGE } from './question.js';

export const auditDrift: CommandSpec = {
  name: 'audit drift',
  summary: 'which sites run something else than they were told to, and for how long',

  options: [STAGE, ...ASKED],
  example: 'sealane audit drift --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => drift(context, given(call, 'stage'), asked), lines);
}

function lines({ drifted, asAssigned }: Drift): readonly string[] {
  return [
    `${counted(drifted.length, 'site')} drifted, ${asAssigned.length} as assigned`,
    ...drifted.map(
      ({ site, stage, assigned, running, since, seconds, ordered, reason }) =>
        `  ${site} in ${stage}: runs ${running ?? 'nothing'}, was told ${assigned ?? 'nothing'}, since ${since} (${seconds} s)${ordered === null ? '' : `, under the order ${ordered}`}${reason === null ? '' : `, ${reason}`}`,
    ),
  ];
}
