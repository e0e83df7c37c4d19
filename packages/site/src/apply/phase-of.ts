/** Which phase a state is in, and what is said of an event that does not belong to it. */
import { SiteError } from '@sealane/core';
import type { Phase, SiteEvent, SiteState, Target } from './state.js';

/** The phase, if it is the one that this event belongs to. */
export function within<P extends Phase['at']>(state: SiteState, event: SiteEvent, at: P): Extract<Phase, { at: P }> {
  if (isAt(state.phase, at)) return state.phase;
  throw impossible(state, event);
}

function isAt<P extends Phase['at']>(phase: Phase, at: P): phase is Extract<Phase, { at: P }> {
  return phase.at === at;
}

export function impossible(state: SiteState, event: SiteEvent): SiteError {
  return new SiteError('STATE_CORRUPT', `read the journal: expected an event that follows ${state.phase.at}, got ${event.is}`, {
    phase: state.phase.at,
    event: event.is,
  });
}

/** The release that a phase is about, if it is about one. */
export function targetOf(phase: Phase): Target | null {
  return 'target' in phase ? phase.target : null;
}
