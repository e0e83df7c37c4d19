/** `sealane audit waivers`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { waivers, type Waivers } from '../answers/waivers.js';
import { answerQuestion, ASKED, given, STAGE } from './question.js';

export const auditWaivers: CommandSpec = {
  name: 'audit waivers',
  summary: 'what people let through, until when, where it was used, whether it was reviewed and is still relied on',

  options: [STAGE, { flags: '--open', description: 'only what was used and never reviewed' }, ...ASKED],
  example: 'sealane audit waivers --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(
    call,
    (context, asked) => waivers(context, { stage: given(call, 'stage'), openOnly: call.options['open'] === true }, asked),
    lines,
  );
}

function lines({ waivers: all }: Waivers): readonly string[] {
  return [
    counted(all.length, 'exception'),
    ...all.flatMap(({ kind, bound, release, stage, people, reasons, expiresAt, expired, used, uses, open, reliedOnBy }) => [
      `  ${kind} ${bound.join(', ')} for ${release} into ${stage}, by ${people.join(', ')}: ${reasons.join('; ')}`,
      `    until ${expiresAt}${expired ? ' (over)' : ''}, used ${used.length} of ${uses}${open ? ', never reviewed' : ''}${reliedOnBy.length === 0 ? '' : `, relied on at ${reliedOnBy.join(', ')}`}`,
    ]),
  ];
}
