/** `sealane site show`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { textArgument, withPromoter } from '../promoter.js';
import { describeSites } from '../site/describe.js';
import { issuedTo } from '../site-ca/issued.js';

export const command: CommandSpec = {
  name: 'site show',
  summary: 'show the record of a site, its certificates and its receipts',
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
    const certificates = (await issuedTo(promoter, site.keyId)).map(({ serial, notBefore, notAfter, certifiedKeyId }) => ({
      serial,
      notBefore,
      notAfter,
      certifiedKeyId,
    }));
    const issued = certificates.map(({ serial, notAfter }) => `  certificate ${serial} until ${notAfter}`);
    const lines = receipts.map(({ seq, event, release, reason, at }) => `  ${seq}  ${at}  ${event}  ${release ?? ''}  ${reason ?? ''}`);
    return {
      exit: 0,
      json: { ...site, certificates, receipts },
      text: [`${site.site}  ${site.stage}  key ${site.keyId}`, ...issued, ...lines].join('\n'),
    };
  });
}
