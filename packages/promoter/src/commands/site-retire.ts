/** `sealane site retire`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { retireSite } from '../site/retire.js';

export const command: CommandSpec = {
  name: 'site retire',
  summary: 'retire a site for good: it stops, wipes what it holds and its key, and counts no more',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: [OPTIONAL_REASON, { flags: '--key <keyref>', description: "the registrar's key", required: true }],
  example: 'sealane site retire harbour-7 --reason "the quay is closed" --key registrar --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'SITE');
  return await withLockedPromoter(call, async (promoter) => {
    const registrar = await promoter.signer(textOption(call, 'key'));
    const retired = await retireSite(promoter, name, optionalText(call, 'reason') ?? NO_REASON, registrar);
    return {
      exit: 0,
      json: retired,
      text: `${name}, key ${retired.keyId}, is retired: ${retired.reason}`,
      hint: 'it wipes itself at its next update; by hand: sealane media export, then at the site media import and update',
    };
  });
}
