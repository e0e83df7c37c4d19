/** Which entries a period has, by what witnesses saw: not by the clock of whoever keeps the log. */
import { AuditorError, parseCheckpoint, SealaneError, type QuorumCheckpoint } from '@sealane/core';
import { isTime, quorumThen, secondsToTime, timeToSeconds, verifyTrustOf } from '@sealane/trust';
import type { AuditContext } from '../answers/context.js';

/** From and to, RFC 3339 UTC; `now` is as far as witnesses have seen the log. */
export interface PeriodWish {
  readonly from: string;
  readonly to: string;
}

/** Entries from `first` on that are below the size of `end`. `begin` is null when no checkpoint is as old: the log begins in the period. */
export interface ChosenPeriod {
  readonly from: string;
  readonly to: string;
  readonly first: number;
  readonly end: string;
  readonly begin: string | null;
}

/** @throws AuditorError `USAGE` when it is no period */
export function parsePeriod(text: string): PeriodWish {
  const [from = '', to = '', ...rest] = text.split('/');
  if (rest.length === 0 && isTime(from) && (to === 'now' || (isTime(to) && from < to))) return { from, to };
  throw new AuditorError(
    'USAGE',
    `read --period: expected FROM/TO or FROM/now, such as 2026-11-01T00:00:00Z/now, got ${text.slice(0, 80)}`,
  );
}

/**
 * The largest checkpoint that a quorum had seen by `from`, so that what came before it came before the period; and the smallest that a quorum saw at
 * `to` or later, so that what came after it came after the period.
 *
 * @throws AuditorError `LOG_WITNESS` no witness has seen the log; `PERIOD_OPEN` none has at the end of it yet; `USAGE` nothing was logged in it
 */
export async function choosePeriod(
  { ledger, policies }: AuditContext,
  { from, to }: PeriodWish,
): Promise<ChosenPeriod & { readonly end: string }> {
  const seen = await checkpointsSeen({ ledger, policies });
  const latest = seen.at(-1);
  if (latest === undefined)
    throw new AuditorError('LOG_WITNESS', `export a period of ${ledger.origin}: expected a cosigned checkpoint, got none`);
  const until = to === 'now' ? secondsToTime(latest.lowestSeconds) : to;
  const end = to === 'now' ? latest : seen.find(({ lowestSeconds }) => lowestSeconds >= timeToSeconds(until));
  if (end === undefined)
    throw new AuditorError(
      'PERIOD_OPEN',
      `export the period until ${until}: witnesses saw the log last at ${secondsToTime(latest.lowestSeconds)}`,
      {},
      { hint: `end the period there, or with /now` },
    );
  const begin = begunWith(seen.filter(({ highestSeconds }) => highestSeconds <= timeToSeconds(from)));
  const first = begin?.checkpoint.size ?? 0;
  if (first >= end.checkpoint.size || from > until)
    throw new AuditorError('USAGE', `export the period ${from}/${until}: expected an entry in it, got none`);
  return { from, to: until, first, end: end.checkpoint.note, begin: begin?.checkpoint.note ?? null };
}

/** The largest, and of those of its size the first: that is the one by which its entries were there at the latest, and of each size an export has one. */
function begunWith(seen: readonly QuorumCheckpoint[]): QuorumCheckpoint | undefined {
  return seen.find(({ checkpoint }) => checkpoint.size === seen.at(-1)?.checkpoint.size);
}

/** Every saved checkpoint under its quorum, smallest first, of one size in the order in which they came. */
async function checkpointsSeen({ ledger, policies }: Pick<AuditContext, 'ledger' | 'policies'>): Promise<readonly QuorumCheckpoint[]> {
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  const log = trust?.logs.find(({ origin }) => origin === ledger.origin);
  if (trust === undefined || log === undefined)
    throw new AuditorError('CONFIG_INVALID', `export of ${ledger.origin}: expected a policy that names this log, got none`);
  const seen: QuorumCheckpoint[] = [];
  await ledger.firstCosignedCovering(0, (note) => {
    try {
      seen.push(quorumThen(note, log, trust));
    } catch (error) {
      // witnesses of another time: it says nothing here
      if (!(error instanceof SealaneError)) throw error;
    }
    return false;
  });
  return seen.sort((a, b) => parseCheckpoint(a.checkpoint.note).size - parseCheckpoint(b.checkpoint.note).size);
}
