/** `sealane trust propose`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { optionalText, withLockedPromoter } from '../promoter.js';
import { proposeChanges } from '../trust/ceremony.js';

export const command: CommandSpec = {
  name: 'trust propose',
  summary: 'propose what pipeline.yaml, new keys and revocations ask for; the owners sign it',
  options: [
    { flags: '--accept <which>', description: 'decisions under the policy before go on counting: earlier-policies (default) or none' },
    { flags: '--renew', description: 'make root and targets anew even when nothing changed, for a later expiry' },
  ],
  example: 'sealane trust propose --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const accept = optionalText(call, 'accept') ?? 'earlier-policies';
  if (accept !== 'earlier-policies' && accept !== 'none')
    throw new PromoterError('USAGE', `read --accept: expected earlier-policies or none, got ${JSON.stringify(accept)}`);
  const renew = call.options['renew'] === true ? 'always' : 'when-changed';
  return await withLockedPromoter(call, (promoter) => proposeChanges(promoter, { accept, renew }));
}
