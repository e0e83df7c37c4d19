/** `sealane site fence`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { fenceSite } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';
import { describeSites } from '../site/describe.js';

export const command: CommandSpec = {
  name: 'site fence',
  summary: 'fence a site: it installs nothing until it rejoins; what runs goes on',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: [OPTIONAL_REASON],
  example: 'sealane site fence harbour-7 --reason "stolen" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'SITE');
  return await withLockedPromoter(call, async (promoter) => {
    const site = (await describeSites(promoter)).find((row) => row.site === name);
    if (site === undefined) throw new PromoterError('SITE_UNKNOWN', `fence site ${name}: there is no such site in the ledger`);
    const reason = optionalText(call, 'reason') ?? NO_REASON;
    const channel = fenceSite(promoter, site.stage, name, reason);
    const statement = await giveOrder(promoter, { order: 'fence', stage: site.stage, site: name, reason }, channel);
    return {
      exit: 0,
      json: { site: name, stage: site.stage, fenced: channel.fenced, statements: [statement] },
      text: `${name}: fence done`,
    };
  });
}
