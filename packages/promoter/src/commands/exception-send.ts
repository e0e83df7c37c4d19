/** `sealane exception send`. */
import { counted, parseDigest, PromoterError, utf8 } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { sendException } from '../channel/site-mail.js';
import { exceptionBundles } from '../exception/request.js';
import { exceptionAt } from '../exception/sign.js';
import { tryWitness } from '../log/log-statements.js';
import { textArgument, withLockedPromoter } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'exception send',
  summary: 'have the site that an exception is for take it in at its next update, with all signatures on it',
  arguments: [{ name: 'statement', description: 'sha256:… of one of its signatures' }],
  options: [],
  example: 'sealane exception send "$(sealane exception list --home my-lane | cut -d" " -f1)" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const digest = parseDigest(textArgument(call, 0, 'STATEMENT'));
  return await withLockedPromoter(call, async (promoter) => {
    const { site, stage, kind } = await exceptionAt(promoter, digest);
    if (site === undefined)
      throw new PromoterError(
        'USAGE',
        `send exception ${digest}: expected one that a site uses, got one of kind ${kind}, which decisions use`,
      );
    await tryWitness(promoter);
    const bundles = await exceptionBundles(promoter, digest);
    const channel = sendException(promoter, stage, site.name, utf8(JSON.stringify(bundles)));
    await publishLane(promoter, new Map([[stage, channel]]));
    return {
      exit: 0,
      json: { statement: digest, kind, site: site.name, stage, signatures: bundles.length },
      text: `${kind} for ${site.name}: ${counted(bundles.length, 'signature waits', 'signatures wait')} in the channel of ${stage}`,
      hint: `at the site the next update takes it in: sealane-site update`,
    };
  });
}
