/** `sealane key list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withPromoter } from '../promoter.js';
import { type KeyUse, keyUses } from '../signers/key-uses.js';

export const command: CommandSpec = {
  name: 'key list',
  summary: 'list the keys of the lane: where each is used and kept, when it counts and expires, what it signed',
  example: 'sealane key list --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const keys = await withPromoter(call, keyUses);
  const text = keys.map(({ id, names, ...use }) => `${id.slice(0, 16)}…  ${names.join(', ') || '-'}  ${describeUse(use)}`).join('\n');
  return { exit: 0, json: { keys }, text };
}

function describeUse({ uses, keptIn, untilIndex, expiresAt, signed }: Omit<KeyUse, 'id' | 'names'>): string {
  const total = signed.reduce((sum, { count }) => sum + count, 0);
  const ends = untilIndex === null ? `expires ${expiresAt}` : `counts below entry ${untilIndex}`;
  return [uses.join(', '), keptIn.join(', ') || 'not here', `${total} statement${total === 1 ? '' : 's'}`, ends].join('  ');
}
