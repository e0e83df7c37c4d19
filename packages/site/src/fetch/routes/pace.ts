/**
 * The pace of a download: how much is asked for at once, how long to wait between two pieces, and when to stop. Pure but for its clock.
 *
 * Bulk is asked for in spans of about two seconds each, and between two of them somebody looks for news. So a full link cannot keep a
 * revocation from this site, whatever queues lie in between: nothing of ours is in them while it is asked for.
 */
import { SiteError } from '@sealane/core';

/** How long one span should take, and how long it may, when the link became slower meanwhile. */
export const SPAN_SECONDS = 2;
export const MAX_SPAN_SECONDS = 6;

/** First span of a link of which nothing is known: two seconds at 256 kbit/s. */
const FIRST_SPAN_BYTES = 64 * 1024;
const MIN_SPAN_BYTES = 16 * 1024;
const MAX_SPAN_BYTES = 64 * 1024 * 1024;

/** A span may be so many times the one before. */
const GROWTH = 4;

/** Time over which a rate must hold before a place is too slow: a lossy link stands still now and then. */
export const PATIENCE_SECONDS = 10;

/** What a download asks of its surroundings. */
export interface Pace {
  /** Bytes to ask for next. @throws SiteError `BUDGET_SPENT` */
  spanBytes(): number;
  /**
   * Says that bytes came, in so many seconds of waiting for them. Resolves to the seconds in which nothing was waited for, to keep to a limit.
   *
   * @throws SiteError `FETCH_TOO_SLOW`, `BUDGET_SPENT`; whatever looking for news throws
   */
  took(bytes: number, seconds: number): Promise<number>;
}

/** What a pace goes by. Rates in bytes per second. */
export interface PaceFacts {
  readonly at: string;
  /** As last measured; 0 = not yet. */
  readonly knownRate: () => number;
  readonly minRate: number;
  /** The limit at this time of day; null = none. */
  readonly limit: () => number | null;
  readonly leftToSpend: () => number;
  readonly sawBytes: (bytes: number, seconds: number) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly lookForNews: () => Promise<void>;
}

/** The pace of downloads from one place. */
export function paceOf(facts: PaceFacts): Pace {
  let lastSpan = 0;
  // what came faster than the clock counts told no rate: without this, a fast link is asked for one smallest span after the other
  let isQuick = false;
  const keepsUp = rateOf(facts);
  const requireBudget = (): number => {
    const left = facts.leftToSpend();
    if (left > 0) return left;
    throw new SiteError('BUDGET_SPENT', `fetch content from ${facts.at}: expected some of its budget of today, got none`, {
      upstream: facts.at,
    });
  };
  return {
    spanBytes: () => {
      const left = requireBudget();
      const aimed = (facts.limit() ?? Infinity) * SPAN_SECONDS;
      const known = facts.knownRate() * SPAN_SECONDS;
      const most = isQuick ? lastSpan * GROWTH : known || lastSpan;
      const grown = lastSpan === 0 ? known || FIRST_SPAN_BYTES : Math.min(most, lastSpan * GROWTH);
      lastSpan = Math.round(Math.max(MIN_SPAN_BYTES, Math.min(grown, aimed, MAX_SPAN_BYTES)));
      return Math.min(lastSpan, left);
    },
    took: async (bytes, seconds) => {
      facts.sawBytes(bytes, seconds);
      isQuick = bytes >= lastSpan && seconds < SPAN_SECONDS / GROWTH;
      keepsUp(bytes, seconds);
      await facts.lookForNews();
      const limit = facts.limit();
      const paused = limit === null ? 0 : Math.max(0, bytes / limit - seconds);
      if (paused > 0) await facts.sleep(paused * 1000);
      requireBudget();
      return paused;
    },
  };
}

/** No limit, no budget, no look, but the least rate: for what is small and needed to judge anything. */
export function freePace(place: Pick<PaceFacts, 'at' | 'minRate'>): Pace {
  const keepsUp = rateOf(place);
  return {
    spanBytes: () => Infinity,
    took: (bytes, seconds) => {
      keepsUp(bytes, seconds);
      return Promise.resolve(0);
    },
  };
}

/** Adds up what came. @throws SiteError `FETCH_TOO_SLOW` over some seconds it was less than the least rate */
function rateOf(place: Pick<PaceFacts, 'at' | 'minRate'>): (bytes: number, seconds: number) => void {
  let slow = { bytes: 0, seconds: 0 };
  return (bytes, seconds) => {
    slow = { bytes: slow.bytes + bytes, seconds: slow.seconds + seconds };
    if (slow.seconds < PATIENCE_SECONDS) return;
    requireRate(place, slow);
    slow = { bytes: 0, seconds: 0 };
  };
}

function requireRate(
  { at, minRate }: Pick<PaceFacts, 'at' | 'minRate'>,
  { bytes, seconds }: { readonly bytes: number; readonly seconds: number },
): void {
  if (bytes >= minRate * seconds) return;
  throw new SiteError(
    'FETCH_TOO_SLOW',
    `fetch content from ${at}: expected at least ${minRate} bytes per second, got ${Math.round(bytes / seconds)}`,
    { upstream: at },
  );
}
