/** `sealane key rotate`: a new key under an old name; the owners sign the policy and delegation that name it. */
import path from 'node:path';
import { keyIdOf } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { textArgument, withLockedPromoter } from '../promoter.js';
import { rotateKey } from '../signers/rotate.js';
import { propose } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'key rotate',
  summary: 'replace a key by a new one of the same name and propose the change to the owners',
  arguments: [{ name: 'name', description: 'name of the key under keys/' }],
  example: 'sealane key rotate prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'NAME');
  return await withLockedPromoter(call, async (promoter) => {
    const file = path.join(promoter.home.keys, `${name}.pem`);
    const { before, after } = rotateKey(file);
    const revoke = { keyId: before.id, untilIndex: await promoter.ledger.size(), reason: `rotated to ${keyIdOf(after.spki)}` };
    return proposalResult(await propose(promoter, { revoke }), 5);
  });
}
