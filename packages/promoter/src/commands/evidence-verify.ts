/** `sealane evidence verify`. */
import { PREDICATE, SealaneError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { verifyLedgerRow } from '@sealane/trust';
import { stageTrust } from '../decision/gate-input.js';
import { allAbout } from '../evidence/all-about.js';
import { statementOf } from '../log/log-statements.js';
import { optionalText, textArgument, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'evidence verify',
  summary: 'verify every statement about a release and its images by the policy of a stage',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [{ flags: '--to <stage>', description: 'the stage whose policy judges (default: the last one of the lane)' }],
  example: 'sealane evidence verify readings@1.0.0 --to prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const statements = await withPromoter(call, async (promoter) => {
    const { ledger } = promoter;
    const { digest } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const about = await allAbout(promoter, digest);
    const stage = optionalText(call, 'to') ?? [...promoter.lane.stages.keys()].at(-1) ?? '';
    const { trust } = await stageTrust(promoter, stage, about);
    // receipts are by the sites' own keys, which no policy names
    const entries = about.filter((entry) => statementOf(entry).predicateType !== PREDICATE.receipt);
    return await Promise.all(
      entries.map(async (entry) => {
        const { predicateType } = statementOf(entry);
        const about = { predicateType, digest: entry.statementDigest, logIndex: entry.index };
        try {
          verifyLedgerRow(
            { ...entry, logIndex: entry.index, origin: ledger.origin, cosigned: await ledger.firstCosignedCovering(entry.index) },
            { trust },
          );
          return { ...about, ok: true, code: null, message: '' };
        } catch (error) {
          if (!(error instanceof SealaneError)) throw error;
          return { ...about, ok: false, code: error.code, message: error.message };
        }
      }),
    );
  });
  const text = statements
    .map(({ ok, logIndex, predicateType, message }) => `${ok ? 'ok  ' : 'bad '} entry ${logIndex}  ${predicateType}  ${message}`)
    .join('\n');
  return { exit: statements.every(({ ok }) => ok) ? 0 : 4, json: { statements }, text };
}
