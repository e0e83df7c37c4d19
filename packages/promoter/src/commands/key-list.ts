/** `sealane key list`. */
import { keyIdOf } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withPromoter } from '../promoter.js';
import { keyUses } from '../signers/key-uses.js';

export const command: CommandSpec = {
  name: 'key list',
  summary: 'list the keys that the policies name: where each is used and when it counts',
  example: 'sealane key list --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const keys = await withPromoter(call, (promoter) => Promise.resolve(keyUses(promoter, keyIdOf)));
  const text = keys
    .map(
      ({ id, names, uses, untilIndex }) =>
        `${id.slice(0, 16)}…  ${names.join(', ') || '-'}  ${uses.join(', ')}${untilIndex === null ? '' : `  until ${untilIndex}`}`,
    )
    .join('\n');
  return { exit: 0, json: { keys }, text };
}
