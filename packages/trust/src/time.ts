/**
 * Times as the formats carry them: RFC 3339 in UTC, whole seconds, `2026-11-24T10:00:00Z`. One width, so text order is time order.
 * Pure conversions; the clock is read elsewhere.
 */
import { TrustError } from '@sealane/core';

const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** The last second that four year digits can name. */
const LAST_SECOND = 253_402_300_799;

/** Whether `text` is a time in the one form that is accepted, from 1970 on, on a day that exists (no 30 February, no leap second). */
export function isTime(text: string): boolean {
  if (!TIME.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && ms >= 0 && `${new Date(ms).toISOString().slice(0, 19)}Z` === text;
}

/**
 * Seconds since 1970 of a time.
 *
 * @throws TrustError `TRUST_MALFORMED` not in the one accepted form
 */
export function timeToSeconds(text: string): number {
  if (!isTime(text))
    throw new TrustError('TRUST_MALFORMED', `read a time: expected YYYY-MM-DDThh:mm:ssZ, got ${JSON.stringify(text.slice(0, 40))}`);
  return Date.parse(text) / 1000;
}

/**
 * The time of a whole number of seconds since 1970.
 *
 * @throws TrustError `TRUST_MALFORMED` not a whole number between the years 1970 and 9999
 */
export function secondsToTime(seconds: number): string {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > LAST_SECOND) {
    throw new TrustError('TRUST_MALFORMED', `write a time: expected whole seconds between 1970 and 9999, got ${String(seconds)}`);
  }
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
