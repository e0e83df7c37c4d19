/** `sealane key revoke`: proposes that a key counts only below a log index. */
import { keyIdOf, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { REASON } from '../command-parts.js';
import { optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { readPublicHalf } from '../signers/key-file.js';
import { propose } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'key revoke',
  summary: 'propose that what a key signs from a log index on is void; the owners sign it',
  arguments: [{ name: 'key', description: 'name of the key, or its id' }],
  options: [{ flags: '--until-index <n>', description: 'the first index at which it no longer counts (default: the size of the log now)' }, REASON],
  example: 'sealane key revoke lab --reason "stolen from the bench" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'KEY');
  return await withLockedPromoter(call, async (promoter) => {
    const keyId = /^[0-9a-f]{64}$/.test(name) ? name : keyIdOf(readPublicHalf(promoter.home.keys, name));
    const untilIndex = indexOption(optionalText(call, 'untilIndex')) ?? (await promoter.ledger.size());
    return proposalResult(await propose(promoter, { revoke: { keyId, untilIndex, reason: textOption(call, 'reason') } }), 5);
  });
}

function indexOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new PromoterError('USAGE', `read --until-index: expected a log index, got ${JSON.stringify(text)}`);
  return Number(text);
}
