/** `sealane site delegate`. */
import path from 'node:path';
import { fromUtf8 } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { REASON } from '../command-parts.js';
import { readNamed, writeOutput } from '../disk-shell.js';
import { listOption, textOption, withLockedPromoter } from '../promoter.js';
import { wholeDays } from '../site-ca/days.js';
import { publicKeyOf } from '../signers/public-key.js';
import { delegateSites } from '../site/delegate.js';
import { publishLane } from '../trust/publish-lane.js';

/** A delegation ends by itself before anybody has forgotten it. */
const [USUAL_DAYS, MAX_DAYS] = [30, 366];

export const command: CommandSpec = {
  name: 'site delegate',
  summary: 'let somebody nearby give replaced nodes of some sites their record, without a network, until a day',
  options: [
    { flags: '--site <site>', description: 'a site whose node may be replaced', required: true, repeat: true },
    { flags: '--to <file>', description: 'public half of the delegate’s key (PEM), as sealane key export prints it', required: true },
    { flags: '--days <n>', description: `how long it holds (default: ${USUAL_DAYS})` },
    REASON,
    { flags: '--key <keyref>', description: "the registrar's key", required: true },
    { flags: '--out <file>', description: 'where to write the delegation, for the delegate', required: true },
  ],
  example:
    'sealane site delegate --site harbour-7 --to town.pub.pem --reason "the winter" --key registrar --out delegation.json --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const at = (name: string): string => path.resolve(call.io.cwd, textOption(call, name));
  const [keyFile, out, days] = [at('to'), at('out'), wholeDays(call, USUAL_DAYS, MAX_DAYS)];
  const delegate = publicKeyOf(fromUtf8(readNamed(keyFile, 'public key')), keyFile);
  return await withLockedPromoter(call, async (promoter) => {
    const registrar = await promoter.signer(textOption(call, 'key'));
    const wish = { sites: listOption(call, 'site'), delegate, days, reason: textOption(call, 'reason'), registrar };
    const { delegation, ...delegated } = await delegateSites(promoter, wish);
    writeOutput(out, `${JSON.stringify(delegation)}\n`);
    await publishLane(promoter, new Map());
    return {
      exit: 0,
      json: { ...delegated, out },
      text: `key ${delegated.delegate} may replace nodes of ${delegated.sites.join(', ')} until ${delegated.expiresAt}; the delegation is in ${out}`,
      hint: 'when a node is replaced, on the delegate’s machine: sealane site replace REQUEST --delegation FILE --key KEY --out RECORD',
    };
  });
}
