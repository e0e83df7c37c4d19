/** `sealane secret list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withPromoter } from '../promoter.js';
import { secretsOf } from '../secret/seal.js';
import { describeSites } from '../site/describe.js';

export const command: CommandSpec = {
  name: 'secret list',
  summary: 'list the secrets of each site: which value was sealed last, when and by whom; values are known to sites alone',
  example: 'sealane secret list --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const secrets = await withPromoter(call, async (promoter) => {
    const sites = await describeSites(promoter);
    const all = await Promise.all(sites.map(({ keyId }) => secretsOf(promoter, keyId)));
    const newest = new Map(all.flat().map((each) => [`${each.site.keyId} ${each.secret}`, each]));
    return [...newest.values()].map(({ site, secret, version, stage, issuedAt, signedBy, statement }) => ({
      site: site.name,
      secret,
      version,
      stage,
      issuedAt,
      signedBy,
      statement,
    }));
  });
  const lines = secrets.map(({ site, secret, version, issuedAt, signedBy }) => `${site}  ${secret}  ${version}  ${issuedAt}  ${signedBy}`);
  return { exit: 0, json: { secrets }, text: lines.join('\n') };
}
