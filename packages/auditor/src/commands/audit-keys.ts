/** `sealane audit keys`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { keys, type Keys } from '../answers/keys.js';
import { answerQuestion, argument, ASKED } from './question.js';

export const auditKeys: CommandSpec = {
  name: 'audit keys',
  summary: 'which keys and identities may sign what, from when to when, and what one of them signed',
  arguments: [{ name: '[key]', description: 'id of a key: 64 hex digits (default: all of them)' }],
  options: ASKED,
  example: 'sealane audit keys --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => keys(context, argument(call, 0) || undefined, asked), lines);
}

function lines({ keys: all, signed, roots }: Keys): readonly string[] {
  return [
    ...all.map(
      ({ keyId, person, identity, roles, fromIndex, untilIndex, endedBecause, valid }) =>
        `${keyId.slice(0, 16)}…  ${valid ? 'counts' : 'does not count'}  ${identity ?? person ?? ''}  ${roles.join(', ')}  entries ${fromIndex ?? '?'} to ${untilIndex ?? 'the end'}${endedBecause === null ? '' : `: ${endedBecause}`}`,
    ),
    ...signed.map(
      ({ logIndex, predicateType, statement, counts }) => `  ${logIndex}  ${predicateType}  ${statement}${counts ? '' : '  void'}`,
    ),
    ...roots.map(
      ({ version, signedBy, statement, logIndex }) =>
        `  ${logIndex}  root ${version}  ${statement}  signed by ${signedBy.map((id) => `${id.slice(0, 16)}…`).join(', ')}`,
    ),
  ];
}
