/** `sealane audit automatic`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { automatic, type Automatic } from '../answers/automatic.js';
import { answerQuestion, ASKED, given, STAGE } from './question.js';

export const auditAutomatic: CommandSpec = {
  name: 'audit automatic',
  summary: 'what happened without a person: by whose rule, set off by what, and how it is undone',

  options: [STAGE, ...ASKED],
  example: 'sealane audit automatic --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => automatic(context, given(call, 'stage'), asked), lines);
}

function lines({ acts }: Automatic): readonly string[] {
  return [
    `${counted(acts.length, 'act')} without a person`,
    ...acts.flatMap(({ act, at, where, release, owner, trigger, wayBack }) => [
      `  ${at}  ${where}: ${act}${release === null ? '' : `  ${release}`}`,
      `    rule: ${owner}; set off by: ${trigger}; way back: ${wayBack}`,
    ]),
  ];
}
