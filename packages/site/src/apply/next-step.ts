/** What a technician does next at a site that is in this state: one line with the command to run. */
import { type ErrorCode, ERRORS } from '@sealane/core';
import type { WorkloadStatus } from '../drivers/driver.js';
import { activeHold } from './hold.js';
import { type LinkNote, linkRemedy } from './link-note.js';
import { retirementOf } from './retirement.js';
import type { SiteState } from './state.js';
import { isOpenStray, strayCheck, type StrayNote } from './strays.js';

/** What of a site its next step goes by; `strays` are what was found beside the release. */
export interface Seen {
  readonly workload: WorkloadStatus;
  readonly link: LinkNote | undefined;
  readonly strays: readonly StrayNote[];
}

/** The step; null where nothing is to be done. What stops everything else comes first. */
export function nextStep(state: SiteState, { workload, link, strays }: Seen, now: string): string | null {
  const { phase, current, refused, denied } = state;
  if (retirementOf(state) !== undefined) return ERRORS.SITE_RETIRED.hint;
  if (phase.at === 'held') return liftStep(phase.code, state.drained);
  if (phase.at === 'trial') return ERRORS.UPDATER_ON_TRIAL.hint;
  if (phase.at !== 'idle') return 'let what is under way go on: sealane-site update';
  if (state.drained !== null) return ERRORS.SITE_DRAINED.hint;
  if (state.stopped) return 'start what an operator stopped: sealane-site start';
  if (activeHold(state.hold, now) !== null) return ERRORS.LOCAL_HOLD.hint;
  const unreached = link === undefined ? null : linkRemedy(link.code);
  // a first release that failed is not tried again by an update
  if (current === null && refused === null) return unreached ?? (denied.length > 0 ? ERRORS.RELEASE_FAILED_HERE.hint : INSTALL);
  if (current !== null && (workload.is === 'ended' || workload.is === 'none')) return MEND;
  if (refused !== null) return ERRORS[refused.code].hint;
  return unreached ?? strays.filter(isOpenStray).map((stray) => strayCheck(stray).remedy)[0] ?? null;
}

/** For a site that knows of nothing that is installed. */
export const INSTALL = 'install a release: sealane-site update';

/** For a site that waits for a person, by the code of what holds it; one that is drained besides has to rejoin first. */
export function liftStep(code: ErrorCode, drained: string | null): string {
  if (drained !== null) return ERRORS.SITE_DRAINED.hint;
  return code === 'ONE_WAY_FAILED' ? ERRORS.ONE_WAY_FAILED.hint : LIFT;
}

const LIFT = 'mend the host, then: sealane-site unhold';

/** For a workload that is down. */
export const MEND = 'start what should run: sealane-site doctor --mend';

/** For a `current` that does not lead to the release that is installed. */
export const RELINK = 'put back what leads to the release: sealane-site doctor --mend';

/** For trust that is not what was written: nobody but the people who gave it at first can give it again. */
export const ENROL_AGAIN = 'begin again from a root that was carried here by hand: sealane-site enroll --record RECORD --root ROOT';
