/** `sealane audit approvals`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { approvals, type Approvals } from '../answers/approvals.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditApprovals: CommandSpec = {
  name: 'audit approvals',
  summary: 'who approved a release, with which key, having seen what; and who of them had another part in it',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: ASKED,
  example: 'sealane audit approvals readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => approvals(context, argument(call, 0), asked), lines);
}

function lines({ name, version, approvals: all, conflicts }: Approvals): readonly string[] {
  return [
    `${name}@${version}`,
    ...all.map(
      ({ person, keyId, stage, verdict, issuedAt, expiresAt, seen, seenAtSize }) =>
        `  ${verdict} for ${stage} by ${person} (${keyId.slice(0, 12)}…), ${issuedAt} to ${expiresAt}, having seen ${counted(seen.length, 'statement')} of the first ${seenAtSize}`,
    ),
    ...conflicts.map(({ who, parts }) => `  ${who} was ${parts.join(' and ')}`),
  ];
}
