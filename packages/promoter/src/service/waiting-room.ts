/** How many may wait, and how many of them for one caller: who asks for everything at once must leave others a place. Pure. */
import { PromoterError } from '@sealane/core';

/** One caller has at most this part of it. */
const SHARE = 1 / 4;

/** Who waits: the caller, where the work is one's. */
export interface Waiting {
  readonly by: string | undefined;
}

/**
 * Room for one more.
 *
 * @throws PromoterError `SERVICE_BUSY` too many wait already, or too many of that caller
 */
export function expectRoom(waiting: readonly Waiting[], by: string | undefined, noun: string, maxWaiting: number): void {
  if (waiting.length >= maxWaiting) throw new PromoterError('SERVICE_BUSY', `take ${noun} in: expected at most ${maxWaiting} waiting`);
  const share = Math.ceil(maxWaiting * SHARE);
  if (by === undefined || waiting.filter((each) => each.by === by).length < share) return;
  throw new PromoterError('SERVICE_BUSY', `take ${noun} in: expected at most ${share} of caller ${by} waiting`);
}
