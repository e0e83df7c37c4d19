/** `sealane replay`: any past decision, made again from a copy of ledger and lane. */
import { isDigest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { withLaneCopy } from '../decision/lane-copy-shell.js';
import { type Replay, replay, type ReplayedCheck } from '../decision/replay.js';
import { textArgument } from '../promoter.js';

export const command: CommandSpec = {
  name: 'replay',
  summary: 'make a past decision again, from the ledger and lane alone, and show each check that comes out otherwise',
  arguments: [{ name: 'decision', description: 'sha256:… of the decision’s statement, or its log index' }],
  example: 'sealane audit trace readings@1.0.0 --home my-lane\nsealane replay 4 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'DECISION');
  const result = await withLaneCopy(call, async (copy) => await replay(copy, await entryNamed(copy.ledger, name)));
  const hint = 'see that nothing was changed since: sealane audit verify';
  return { exit: result.sameVerdict ? 0 : 4, json: result, text: textOf(result), ...(result.sameVerdict ? {} : { hint }) };
}

async function entryNamed(ledger: Ledger, name: string): Promise<LedgerEntry> {
  if (/^\d{1,15}$/.test(name)) return await ledger.entry(Number(name));
  if (!isDigest(name))
    throw new PromoterError('USAGE', `read DECISION: expected sha256: and 64 hex digits, or a log index, got ${name.slice(0, 80)}`);
  const [found] = await ledger.byStatement(name);
  if (found === undefined) throw new PromoterError('STATEMENT_UNKNOWN', `look up decision ${name}: it is not in the ledger`);
  return found;
}

function textOf({ decision, logIndex, to, recorded, replayed, checks, version, policy, judgedAt }: Replay): string {
  const verdict = recorded === replayed ? `${recorded}, and comes out so again` : `${recorded}, but comes out ${replayed}`;
  return [
    `decision ${decision} (entry ${logIndex}) of ${to}: ${verdict}`,
    `policy ${policy}, judged at ${judgedAt.replayed.lowest} to ${judgedAt.replayed.highest}`,
    `decided by sealane ${version.recorded ?? 'of a version that it did not say'}, replayed by ${version.replayed}`,
    ...checks.flatMap(checkLines),
  ].join('\n');
}

function checkLines({ id, recorded, replayed, differences }: ReplayedCheck): readonly string[] {
  const mark = recorded?.verdict === replayed?.verdict ? (replayed?.verdict ?? '') : 'differs';
  return [
    `  ${mark.padEnd(8)} ${id}`,
    ...differences.map(({ field, recorded: before, replayed: now }) => `           ${field}: recorded ${before || '–'}; now ${now || '–'}`),
  ];
}
