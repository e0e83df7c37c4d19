/** How long the log has to show receipts that were handed over, before they are handed over again: whoever said that they arrived may have lied. */
import { timeToSeconds } from '@sealane/trust';
import type { CarriedReceipts, SiteState } from './state.js';

/** Days until they are sent again, doubled each time up to the second: a lane is signed anew each day, and a courier comes now and then. */
const [AGAIN_DAYS, MAX_AGAIN_DAYS] = [1, 8];
const DAY_SECONDS = 24 * 60 * 60;

type Known = Pick<SiteState['receipts'], 'carried' | 'sent'>;

/** Whether the log should have shown by now what was handed over. A clock that was ahead then puts nothing off. */
export function isDueAgain({ carried, sent }: Known, now: string): boolean {
  if (carried === undefined || carried.seq <= sent) return false;
  return Math.abs(timeToSeconds(now) - timeToSeconds(carried.at)) >= carried.days * DAY_SECONDS;
}

/** How many turns at them the log has shown nothing of: whoever had one is believed no more than the next in line. */
export function turnsOf(known: Known, now: string): number {
  return known.carried !== undefined && isDueAgain(known, now) ? Math.log2(known.carried.days) + 1 : 0;
}

/** What is known after receipts up to `seq` were handed over. Where more of them were, those of before wait no longer for it. */
export function carriedAfter({ carried, sent }: Known, seq: number, now: string): CarriedReceipts {
  if (carried === undefined || carried.seq <= sent) return { seq, at: now, days: AGAIN_DAYS };
  if (!isDueAgain({ carried, sent }, now)) return { ...carried, seq };
  return { seq, at: now, days: Math.min(2 * carried.days, MAX_AGAIN_DAYS) };
}
