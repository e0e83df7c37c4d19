/** `sealane site rejoin`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { rejoinSite } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';
import { describeSites } from '../site/describe.js';

export const command: CommandSpec = {
  name: 'site rejoin',
  summary: 'let a site that is fenced or drained run and install again',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: [OPTIONAL_REASON],
  example: 'sealane site rejoin harbour-7 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'SITE');
  return await withLockedPromoter(call, async (promoter) => {
    const site = (await describeSites(promoter)).find((row) => row.site === name);
    if (site === undefined) throw new PromoterError('SITE_UNKNOWN', `rejoin site ${name}: there is no such site in the ledger`);
    const channel = rejoinSite(promoter, site.stage, name);
    const reason = optionalText(call, 'reason') ?? NO_REASON;
    const statement = await giveOrder(promoter, { order: 'rejoin', stage: site.stage, site: name, reason }, channel);
    return {
      exit: 0,
      json: { site: name, stage: site.stage, fenced: channel.fenced, drained: channel.drained ?? [], statements: [statement] },
      text: `${name}: rejoin done`,
    };
  });
}
