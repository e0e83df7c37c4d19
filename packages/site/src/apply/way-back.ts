/** Where a site goes back to by itself: the release before, or the newest kept one that may run. None that was revoked comes to life again, and none below the floor. Pure. */
import type { Check, Digest } from '@sealane/core';
import { barOf } from './bars.js';
import { secretsFor } from './secret-versions.js';
import type { SiteState, Slot, Target } from './state.js';
import type { TrustFile } from './trust-file.js';

/** `to` null: nothing that is here may run. `barred`: what bars those that would have come first. */
export interface WayBack {
  readonly to: Slot | null;
  readonly barred: readonly Check[];
}

/** The way back from `target`; `trust` with the floor that steps without a way back have raised. */
export function wayBack(state: SiteState, target: Target, trust: Pick<TrustFile, 'bars' | 'floor' | 'revoked'>): WayBack {
  // it stays the release that runs: only values of its secrets were new
  if (target.cause === 'secrets') return { to: state.current, barred: [] };
  const barred: Check[] = [];
  for (const slot of choicesOf(state, target)) {
    const bar = barOf(trust, slot);
    if (bar === undefined || (bar.code === 'RELEASE_BELOW_FLOOR' && slot.belowFloor === true)) return { to: given(state, slot), barred };
    barred.push(bar);
  }
  return { to: null, barred };
}

/** What runs once a site has gone back past the release before: that one is kept, for people to go back to where it is no longer barred. */
export function wentBackTo(
  state: SiteState,
  release: Digest | null,
  since: string,
): Pick<SiteState, 'current' | 'previous' | 'kept'> | undefined {
  const slot = state.kept.find((each) => each.release === release);
  if (release !== null && slot === undefined) return undefined;
  const others = [...(state.current === null ? [] : [state.current]), ...state.kept].filter((each) => each.release !== release);
  const kept = others.slice(0, Math.max(1, state.kept.length));
  return { current: slot === undefined ? null : { ...given(state, slot), since }, previous: kept[0] ?? null, kept };
}

/** What ran before, then what is kept, newest first; not what just failed, nor what failed here or was left by hand before. */
function choicesOf({ current, kept, denied }: SiteState, target: Target): readonly Slot[] {
  const good = kept.filter((slot) => slot.release !== target.release && !denied.some(({ release }) => release === slot.release));
  return [...(current === null ? [] : [current]), ...good];
}

/** What was rotated since was rotated for a reason; the release before had its newest values. */
function given(state: SiteState, slot: Slot): Slot {
  if (slot.release === state.current?.release) return slot;
  const { secrets = [], ...rest } = slot;
  return {
    ...rest,
    ...secretsFor(
      state,
      secrets.map(({ name }) => name),
    ),
  };
}
