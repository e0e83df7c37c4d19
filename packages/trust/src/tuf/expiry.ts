/** Expiry of metadata (TUF 4.3 `EXPIRES`): one form of date, and one comparison. */
import { TrustError } from '@sealane/core';
import { isTime, secondsToTime, timeToSeconds } from '../time.js';
import type { TufRules, TufRun } from './rules.js';

/** RFC 3339 with fractions and offsets, for `plain` rules: old public roots were written so. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Milliseconds since 1970 of an `expires` field. `lane` rules take `YYYY-MM-DDTHH:MM:SSZ` on a day that exists, as the specification writes it.
 *
 * @throws TrustError `TRUST_MALFORMED`: a date that no reader agrees on must not mean "never"
 */
export function parseExpiry(fileName: string, expires: string, rules: TufRules): number {
  if (isTime(expires)) return timeToSeconds(expires) * 1000;
  const lenient = rules === 'plain' && RFC_3339.test(expires) ? Date.parse(expires) : Number.NaN;
  if (!Number.isNaN(lenient)) return lenient;
  throw new TrustError(
    'TRUST_MALFORMED',
    `read ${fileName}: expected expires as YYYY-MM-DDTHH:MM:SSZ, got ${JSON.stringify(expires.slice(0, 40))}`,
    { fileName },
  );
}

/**
 * Checks for a freeze attack (TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5): the expiry must be higher than the fixed start time, not equal to it.
 *
 * @throws TrustError `TRUST_EXPIRED`
 */
export function requireFresh(fileName: string, expiresMs: number, run: TufRun): void {
  if (expiresMs > timeToSeconds(run.now) * 1000) return;
  const expiresAt = timeOfMs(expiresMs);
  throw new TrustError('TRUST_EXPIRED', `check ${fileName}: expected an expiry after ${run.now}, got ${expiresAt}`, {
    fileName,
    expiresAt,
    now: run.now,
  });
}

/** The earliest of some expiries as text. */
export function earliestExpiry(expiriesMs: readonly number[]): string {
  return timeOfMs(Math.min(...expiriesMs));
}

/** Years before 1970 exist in hostile documents only; they all read as the first second. */
function timeOfMs(expiresMs: number): string {
  return secondsToTime(Math.max(0, Math.floor(expiresMs / 1000)));
}
