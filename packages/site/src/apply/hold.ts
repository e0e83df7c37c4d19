/** An operator's hold on updates. */
import type { Hold } from './state.js';

/** The hold if it has not lapsed by `now` (RFC 3339). */
export function activeHold(hold: Hold | null, now: string): Hold | null {
  return hold === null || (hold.until !== null && hold.until <= now) ? null : hold;
}
