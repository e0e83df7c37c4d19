/**
 * What time it is at a site whose clock may be wrong, and whose power anybody may cut (DESIGN "Time").
 *
 * The floor is the lowest time that a witness quorum has vouched for; it ticks with uptime and is saved. The wall clock counts only where it
 * is ahead of the floor: set to 1970 it locks nobody out and revives nothing; set ahead it makes metadata expire, which stops new installs only.
 */
import { MAX_SWITCH_SECONDS, secondsToTime, timeToSeconds } from '@sealane/trust';
import type { Clock } from '../clock.js';
import type { Moment } from './state.js';

/** The floor as saved: a time, and the moment at which it was that time at least. */
export type TimeFloor = {
  readonly time: string;
  readonly moment: Moment;
};

/** A floor that says nothing. */
export const NO_FLOOR: TimeFloor = { time: '1970-01-01T00:00:00Z', moment: { bootId: '', uptimeSeconds: 0 } };

/** This moment on the clock that cannot be set. */
export function momentOf(clock: Clock): Moment {
  return { bootId: clock.bootId(), uptimeSeconds: clock.uptimeSeconds() };
}

/** The floor by now: within one boot it has ticked; what passed with the power off is not counted. */
export function tickedFloor(floor: TimeFloor, clock: Clock): TimeFloor {
  const now = momentOf(clock);
  const passed = floor.moment.bootId === now.bootId ? Math.max(0, Math.floor(now.uptimeSeconds - floor.moment.uptimeSeconds)) : 0;
  return { time: later(floor.time, secondsToTime(timeToSeconds(floor.time) + passed)), moment: now };
}

/** The time to judge by: the wall clock, but never before the floor. */
export function trustedNow(floor: TimeFloor, clock: Clock): string {
  return later(tickedFloor(floor, clock).time, clock.wallTime());
}

/** The floor raised to a witnessed time, but never past `limit` (the trusted root's expiry): a lying quorum cannot lock a site out for good. */
export function raisedFloor(floor: TimeFloor, witnessed: string, limit: string, clock: Clock): TimeFloor {
  const ticked = tickedFloor(floor, clock);
  const raised = later(ticked.time, witnessed);
  return { time: raised <= limit ? raised : later(floor.time, limit), moment: ticked.moment };
}

/** Seconds between a moment and now; of another boot, none: what was under way begins again. */
export function secondsSince(moment: Moment, clock: Clock): number {
  return moment.bootId === clock.bootId() ? Math.max(0, clock.uptimeSeconds() - moment.uptimeSeconds) : 0;
}

/** How long something took that began at a moment: whole seconds, rounded up. Nothing where that cannot be told: the power was cut since. */
export function timeTaken(began: Moment | undefined, clock: Clock): { readonly seconds?: number } {
  if (began?.bootId !== clock.bootId()) return {};
  const seconds = Math.max(1, Math.ceil(clock.uptimeSeconds() - began.uptimeSeconds));
  return seconds > MAX_SWITCH_SECONDS ? {} : { seconds };
}

/** One width, so text order is time order. */
function later(left: string, right: string): string {
  return left > right ? left : right;
}
