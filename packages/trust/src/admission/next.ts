/** What the caller must keep after an admission: what was there, or all that was verified (the head of THREATS.md). */
import type { Digest, ErrorCode, SealaneError } from '@sealane/core';
import type { Floor } from '../policy/policy-types.js';
import { secondsToTime } from '../time.js';
import type { TufState } from '../tuf/state.js';
import { lowestCounter } from './channel-step.js';
import type { LogView } from './log-step.js';
import type { TrustedLane } from './trust-step.js';
import type { AdmissionNext, AdmitInput, KeptOrders } from './types.js';

/** Whether a refusal leaves the trust state as it was: what the lane said is not believed, so nothing of it is remembered. */
export function keepsNothing(code: ErrorCode): boolean {
  return /^(?:TRUST|LOG)_/.test(code);
}

/** `next` that keeps what was there. */
export function keptNext({ siteState }: AdmitInput, trust: TufState): AdmissionNext {
  const { seenCheckpoint, timeFloor, revoked, floor } = siteState;
  return { trust, seenCheckpoint, timeFloor, revoked, floor, bars: null };
}

/** `next` after trust and log were verified. */
export function advancedNext(
  input: AdmitInput,
  lane: TrustedLane,
  log: LogView,
  orders: KeptOrders,
  floors: readonly Floor[],
): AdmissionNext {
  const { checkpoint, lowestSeconds } = log.head;
  const witnessed = earlier(secondsToTime(lowestSeconds), lane.rootExpiresAt);
  const { timeFloor, floor } = input.siteState;
  return {
    trust: lane.state,
    seenCheckpoint: checkpoint.note,
    // A quorum that lies about the future must not lock a site out for good: its word ends where the root's does.
    timeFloor: timeFloor !== null && timeFloor > witnessed ? timeFloor : witnessed,
    revoked: orders,
    floor,
    bars: { counter: lowestCounter(floors), revoked: orders.releases.map(({ release }): Digest => release) },
  };
}

/** Roots that were proven before a refusal stay trusted (TUF 5.3.8): the TUF client puts that state into its error. */
export function provenState(source: SealaneError | null, before: TufState): TufState {
  const state = source?.data.state;
  return isTufState(state) ? state : before;
}

/** Errors carry data as unknown; what the TUF client puts there is its own state type. */
function isTufState(value: unknown): value is TufState {
  return typeof value === 'object' && value !== null && 'root' in value && 'versions' in value && 'importedTimestamps' in value;
}

function earlier(left: string, right: string): string {
  return left < right ? left : right;
}
