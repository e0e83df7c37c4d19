/** `sealane exception create`: one person's signature on an expiring, counted permission; or another person's on the same one. */
import { parseDigest, PromoterError, type Signer } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { KEY, OUT, REASON, statementsResult } from '../command-parts.js';
import { logOrWrite } from '../exception/log-or-write.js';
import { cosignException, signException } from '../exception/sign.js';
import { optionalText, type Promoter, releaseOf, textOption, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'exception create',
  summary: 'let one gate through for one release and stage, for so long and so often, as policy allows',
  options: [
    { flags: '--release <release>', description: 'sha256:… or NAME@VERSION' },
    { flags: '--to <stage>', description: 'the stage' },
    { flags: '--gate <gate>', description: 'the gate that is let through' },
    { flags: '--days <days>', description: 'how long it holds (default 1)' },
    { flags: '--uses <count>', description: 'how many decisions may rest on it (default 1)' },
    { flags: '--with <statement>', description: 'sign the same exception as this statement: where policy needs more than one person' },
    KEY,
    REASON,
    OUT,
  ],
  example: 'sealane exception create --release readings@1.0.0 --to prod --gate soak --key alice --reason "fixes an outage" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const signer = await promoter.signer(textOption(call, 'key'));
    const same = optionalText(call, 'with');
    const reason = textOption(call, 'reason');
    const signed =
      same === undefined
        ? await signNew(call, promoter, reason, signer)
        : await cosignException(promoter, parseDigest(same), reason, signer);
    return statementsResult([await logOrWrite(call, promoter, signed)]);
  });
}

async function signNew(call: CommandCall, promoter: Promoter, reason: string, signer: Signer): ReturnType<typeof signException> {
  const { digest: release } = await releaseOf(promoter.ledger, textOption(call, 'release'));
  const wish = { release, stage: textOption(call, 'to'), gate: textOption(call, 'gate') };
  return await signException(promoter, { ...wish, days: countOption(call, 'days'), uses: countOption(call, 'uses') }, reason, signer);
}

function countOption(call: CommandCall, name: string): number {
  const text = optionalText(call, name) ?? '1';
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new PromoterError('USAGE', `read --${name}: expected a count from 1 on, got ${JSON.stringify(text)}`);
}
