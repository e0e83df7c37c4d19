/**
 * How each upstream has behaved, and in which order they are tried: a pure state machine over what a sync saw of them.
 *
 * One that fails is left: it goes behind those that work, and is only looked at when it is due, each time later. One that works again must do so
 * several times in a row before it is what it was, so that a flapping one does not come and go with each sync. Nobody is left for good: where none
 * works all are tried in their order, so that a site whose only link was away for weeks needs nobody.
 */

/** Why an upstream was left. Who served wrong bytes, or documents that are none of the owners', is left for longer. */
export type LeftFor = 'unreachable' | 'slow' | 'wrong';

/** What is remembered of one place. Seconds are those since boot: no wall clock counts here. */
export type Health = {
  readonly left: LeftFor | null;
  /** How often it was left of late: the wait doubles with each. */
  readonly level: number;
  /** Good answers in a row since it was left, each when it was due. */
  readonly good: number;
  /** When it may be looked at again, or, of one that works, when its level falls. */
  readonly dueAt: number;
  /** Bytes in a second, as last measured; 0 = not yet. */
  readonly bytesPerSecond: number;
  /** Content taken from it, and on which day (`2026-11-28`, UTC). */
  readonly day: string;
  readonly spentBytes: number;
  /** Until when it asked not to be sent receipts. */
  readonly pausedUntil?: number;
};

/** All places by their `at`, and the boot that seconds are counted from. */
export type RoutesState = { readonly bootId: string; readonly places: Readonly<Record<string, Health>> };

/** What a sync saw. `jitter` is 0–1, so that sites whose upstream came back do not all ask in one second. */
export type RouteEvent =
  | { readonly is: 'served'; readonly at: string; readonly now: number }
  | { readonly is: 'failed'; readonly at: string; readonly why: LeftFor; readonly now: number; readonly jitter: number }
  | { readonly is: 'paused'; readonly at: string; readonly seconds: number; readonly now: number; readonly jitter: number }
  | { readonly is: 'took'; readonly at: string; readonly day: string; readonly bytes: number; readonly seconds: number };

/** Good answers in a row that bring a place back. */
export const GOOD_TO_REJOIN = 3;

/** Longest wait, in waits of `pollSeconds`: at one poll a minute, an hour. */
const MAX_WAIT_POLLS = 60;

/** Times longer for one that served something wrong. */
const WRONG_FACTOR = 8;

/** Longest wait that a place is granted when it asks for one, in seconds: quotas are counted by the hour. */
const MAX_PAUSE_SECONDS = 3600;

/** Part of a wait by which two sites' differ. */
const JITTER = 0.5;

const UNKNOWN: Health = { left: null, level: 0, good: 0, dueAt: 0, bytesPerSecond: 0, day: '', spentBytes: 0 };

/** A site that has seen nothing yet. */
export const NO_ROUTES: RoutesState = { bootId: '', places: {} };

/** What is known of a place. */
export function healthOf({ places }: RoutesState, at: string): Health {
  return Object.hasOwn(places, at) ? (places[at] ?? UNKNOWN) : UNKNOWN;
}

/** The next state. `pollSeconds`: how often this site looks for news, the measure of all waits. */
export function step(state: RoutesState, event: RouteEvent, pollSeconds: number): RoutesState {
  const before = healthOf(state, event.at);
  return { ...state, places: { ...state.places, [event.at]: next(before, event, pollSeconds) } };
}

function next(before: Health, event: RouteEvent, pollSeconds: number): Health {
  switch (event.is) {
    case 'took':
      return took(before, event);
    case 'paused': {
      const seconds = Math.min(event.seconds, MAX_PAUSE_SECONDS) * (1 + JITTER * event.jitter);
      return { ...before, pausedUntil: event.now + seconds };
    }
    case 'failed': {
      const level = Math.min(before.level + 1, 16);
      const polls = Math.min(2 ** (level - 1) * (event.why === 'wrong' ? WRONG_FACTOR : 1), MAX_WAIT_POLLS);
      return { ...before, left: event.why, level, good: 0, dueAt: event.now + pollSeconds * polls * (1 + JITTER * event.jitter) };
    }
    case 'served':
      return served(before, event.now, pollSeconds);
  }
}

function served(before: Health, now: number, pollSeconds: number): Health {
  if (before.left === null) {
    // what it did long ago is forgotten a step at a time
    if (before.level === 0 || now < before.dueAt) return before;
    return { ...before, level: before.level - 1, dueAt: now + pollSeconds * MAX_WAIT_POLLS };
  }
  // a dozen answers within a second are one: it may flap as before
  if (now < before.dueAt) return before;
  const good = before.good + 1;
  if (good < GOOD_TO_REJOIN) return { ...before, good, dueAt: now + pollSeconds };
  return { ...before, left: null, good: 0, dueAt: now + pollSeconds * MAX_WAIT_POLLS };
}

function took(before: Health, { day, bytes, seconds }: Extract<RouteEvent, { is: 'took' }>): Health {
  const spentBytes = (before.day === day ? before.spentBytes : 0) + bytes;
  // what took no time, or was next to nothing, says nothing of a link
  const isMeasure = seconds > 0.01 && bytes >= 4096;
  return { ...before, day, spentBytes, bytesPerSecond: isMeasure ? Math.round(bytes / seconds) : before.bytesPerSecond };
}

/** After a boot the seconds are others: what was left is due at once, and what is known of it stays. */
export function sinceBoot(state: RoutesState, bootId: string): RoutesState {
  if (state.bootId === bootId) return state;
  const places = Object.entries(state.places).map(
    ([at, health]) => [at, { ...health, dueAt: 0, ...(health.pausedUntil === undefined ? {} : { pausedUntil: 0 }) }] as const,
  );
  return { bootId, places: Object.fromEntries(places) };
}

/** The places of a configuration in the order in which they are tried now: those that work, then those that were left. */
export function inOrder<P extends { readonly at: string }>(state: RoutesState, places: readonly P[]): readonly P[] {
  const isLeft = ({ at }: P): boolean => healthOf(state, at).left !== null;
  return [...places.filter((place) => !isLeft(place)), ...places.filter(isLeft)];
}

/** Places that were left and are due to be looked at, though another one serves. */
export function dueAgain<P extends { readonly at: string }>(state: RoutesState, places: readonly P[], now: number): readonly P[] {
  return places.filter(({ at }) => {
    const { left, dueAt } = healthOf(state, at);
    return left !== null && now >= dueAt;
  });
}

/** Seconds for which a place is not to be sent receipts. */
export function pausedSeconds(state: RoutesState, at: string, now: number): number {
  return Math.max(0, (healthOf(state, at).pausedUntil ?? 0) - now);
}

/** Content that may still be taken from a place on a day, in bytes. */
export function leftToSpend(
  state: RoutesState,
  { at, dailyBytes }: { readonly at: string; readonly dailyBytes: number | null },
  day: string,
): number {
  if (dailyBytes === null) return Infinity;
  const health = healthOf(state, at);
  return Math.max(0, dailyBytes - (health.day === day ? health.spentBytes : 0));
}

/** Forgets all places but these. */
export function onlyPlaces(state: RoutesState, named: readonly string[]): RoutesState {
  return { ...state, places: Object.fromEntries(Object.entries(state.places).filter(([at]) => named.includes(at))) };
}
