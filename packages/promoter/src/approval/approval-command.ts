/** `sealane approve` and `sealane reject`: one person's signature over what the gates read, logged or written to a file. */
import path from 'node:path';
import { type Digest, PREDICATE, PromoterError, type Signed, statementDigestOf } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { encodeBundle } from '@sealane/trust';
import { GROUP, KEY, NO_REASON, OPTIONAL_REASON, OUT, statementsResult, TO_STAGE } from '../command-parts.js';
import { reached } from '../crash-point.js';
import { writeOutput } from '../disk-shell.js';
import { logEnvelope, tryWitness } from '../log/log-statements.js';
import { publishedLane, ROOT, withPublishedLane } from '../client/published-lane-shell.js';
import { optionalText, type Promoter, textArgument, textOption, withLockedPromoter, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';
import { signApproval } from './approve.js';

/** Longest that an approval may hold, in days. */
const MAX_DAYS = 365;

const DAYS = { flags: '--days <days>', description: 'how long it holds (default: 30)' };
const IRREVERSIBLE = { flags: '--irreversible', description: 'approve also that the release has a part without a way back' };

/** The command of one verdict. */
export function approvalCommand(verdict: 'approve' | 'reject'): CommandSpec {
  const reason = verdict === 'reject' ? OPTIONAL_REASON : { flags: '--reason <text>', description: 'why' };
  return {
    name: verdict,
    summary:
      verdict === 'approve'
        ? 'sign that a release may go into a stage, over exactly what the gates read'
        : 'veto a release for a stage, signed and logged',
    arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
    options: [TO_STAGE, GROUP, KEY, OUT, ROOT, reason, ...(verdict === 'approve' ? [IRREVERSIBLE] : []), DAYS],
    example: `sealane ${verdict} readings@1.0.0 --to prod --key alice${verdict === 'reject' ? ' --reason "recalled by the lab"' : ''} --home my-lane`,
    run: (call) => run(call, verdict),
  };
}

async function run(call: CommandCall, verdict: 'approve' | 'reject'): Promise<CommandResult> {
  const published = publishedLane(call);
  const out = optionalText(call, 'out');
  if (published !== undefined && out === undefined)
    throw new PromoterError('USAGE', `${verdict} with --root: expected --out with it, since the published lane takes nothing in, got none`);
  const sign = async (promoter: Promoter): Promise<Signed> => {
    const { digest } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const signer = await promoter.signer(textOption(call, 'key'));
    const reason = optionalText(call, 'reason') ?? (verdict === 'reject' ? NO_REASON : undefined);
    const [group, days] = [optionalText(call, 'group'), parseDays(optionalText(call, 'days'))];
    return await signApproval(promoter, {
      release: digest,
      stage: textOption(call, 'to'),
      verdict,
      signer,
      ...(verdict === 'approve' && call.options['irreversible'] === true ? { irreversible: true } : {}),
      ...(reason === undefined ? {} : { reason }),
      ...(group === undefined ? {} : { group }),
      ...(days === undefined ? {} : { days }),
    });
  };
  const write = (signed: Signed, file: string): CommandResult => {
    writeOutput(path.resolve(call.io.cwd, file), `${JSON.stringify(encodeBundle(signed))}\n`);
    return statementsResult([{ predicateType: PREDICATE.approval, digest: statementDigestOf(signed.envelope), logIndex: null }]);
  };
  if (published !== undefined && out !== undefined) {
    const release = textArgument(call, 0, 'RELEASE');
    const seen = async (promoter: Promoter): Promise<Digest> => (await releaseOf(promoter, release)).digest;
    return await withPublishedLane(call, published, seen, async (promoter) => write(await sign(promoter), out));
  }
  // a carried one is never held against what is published here, as what is logged is: the lock's own check comes before it is signed
  if (out !== undefined) await withLockedPromoter(call, () => Promise.resolve());
  // nobody who publishes waits for a person who has a token to touch; what is logged meanwhile this one has not seen, and does not count for
  const signed = await withPromoter(call, sign);
  if (out !== undefined) return write(signed, out);
  return await withLockedPromoter(call, async (promoter) => {
    const { index, statementDigest } = await logEnvelope(promoter.ledger, signed);
    reached('approval:logged');
    // what no witness has seen, whoever owns the database could cut off the end of the log (THREATS T15): it must not be a veto
    if (verdict === 'reject') await tryWitness(promoter);
    return statementsResult([{ predicateType: PREDICATE.approval, digest: statementDigest, logIndex: index }]);
  });
}

function parseDays(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : NaN;
  if (!(days <= MAX_DAYS)) throw new PromoterError('USAGE', `read --days: expected 1 to ${MAX_DAYS}, got ${JSON.stringify(text)}`);
  return days;
}
