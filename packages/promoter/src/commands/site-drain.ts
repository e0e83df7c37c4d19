/** `sealane site drain`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { drainSite } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';
import { describeSites } from '../site/describe.js';

export const command: CommandSpec = {
  name: 'site drain',
  summary: 'take a site out for maintenance: its workload is stopped, it installs nothing until it rejoins',
  arguments: [{ name: 'site', description: 'name of the site' }],
  options: [OPTIONAL_REASON],
  example: 'sealane site drain harbour-7 --reason "the crane is rebuilt" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'SITE');
  return await withLockedPromoter(call, async (promoter) => {
    const site = (await describeSites(promoter)).find((row) => row.site === name);
    if (site === undefined) throw new PromoterError('SITE_UNKNOWN', `drain site ${name}: there is no such site in the ledger`);
    const reason = optionalText(call, 'reason') ?? NO_REASON;
    const channel = drainSite(promoter, site.stage, name, reason);
    const statement = await giveOrder(promoter, { order: 'drain', stage: site.stage, site: name, reason }, channel);
    return {
      exit: 0,
      json: { site: name, stage: site.stage, drained: channel.drained, statements: [statement] },
      text: `${name}: drained`,
    };
  });
}
