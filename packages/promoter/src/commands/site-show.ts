/** `sealane site show`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { textArgument, withPromoter } from '../promoter.js';
import { describeSites } from '../site/describe.js';
import { PromoterError } from '@sealane/core';

export const command: CommandSpec = {
  name: 'site show',
  summary: 'show the record of a site and its receipts',
  arguments: [{ name: 'site', description: 'name of the site' }],
  example: 'sealane site show harbour-7 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'SITE');
  return await withPromoter(call, async (promoter) => {
    const site = (await describeSites(promoter)).find((row) => row.site === name);
    if (site === undefined) throw new PromoterError('SITE_UNKNOWN', `look up site ${name}: there is no such site in the ledger`);
    const receipts = (await promoter.ledger.receiptsOf(name)).map(({ seq, event, release, reason, at }) => ({
      seq,
      event,
      release,
      reason,
      at,
    }));
    const lines = receipts.map(({ seq, event, release, reason, at }) => `  ${seq}  ${at}  ${event}  ${release ?? ''}  ${reason ?? ''}`);
    return { exit: 0, json: { ...site, receipts }, text: [`${site.site}  ${site.stage}  key ${site.keyId}`, ...lines].join('\n') };
  });
}
