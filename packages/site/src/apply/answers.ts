/** The answers of `check`, `update` and `rollback`, and the checks that `apply` adds to those of admission. */
import { type Check, type Digest, type ErrorCode, ERRORS, SiteError } from '@sealane/core';
import type { Admission } from '@sealane/trust';
import { isDiskFull } from '../disk.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import type { Site } from '../site.js';
import type { CarryContext } from './carry-out.js';
import { base, type Outcome, type SiteResult } from './outcome.js';
import { linkCodeOf, linkRemedy } from './link-note.js';
import { liftStep } from './next-step.js';
import { isSame, sameSecrets } from './secret-versions.js';
import type { SiteState, Target } from './state.js';
import { trustedNow } from './trusted-time.js';
import { nextOpen } from './windows.js';

/** Why a release that is laid down waits. */
export function windowCheck({ site, trust }: CarryContext): Check {
  const { windows } = site.config;
  const time = trustedNow(trust().time, site.world.clock);
  const opens = windows === undefined ? null : nextOpen(windows, time);
  return {
    id: 'window',
    verdict: 'pending',
    expected: `an open window of site.yaml (${windows?.timeZone ?? ''})`,
    actual: `none at ${time}; the release is laid down`,
    remedy: opens === null ? 'name a window that opens in site.yaml' : `it is switched to by the first update from ${opens} on`,
    evidence: [],
    code: 'WINDOW_CLOSED',
  };
}

/** What the state says about a target that was under way. */
export function ended(site: Site, before: SiteState, after: SiteState, release: Digest, checks: readonly Check[]): SiteResult {
  const rest = { ...base(site, before), release };
  if (after.phase.at === 'held') {
    const held = heldResult(site, after);
    return { ...held, checks: [...checks, ...held.checks] };
  }
  if (after.refused?.release === release)
    return { ...rest, outcome: 'refused', reason: after.refused.code, checks: [...checks, ...after.refused.checks] };
  if (isGiven(before, after, release)) return { ...rest, outcome: 'installed', reason: null, checks };
  return { ...rest, outcome: 'rolled-back', reason: whyTakenBack(after, release), checks };
}

function whyTakenBack({ denied }: SiteState, release: Digest): ErrorCode {
  const reason = denied.find((entry) => entry.release === release)?.reason;
  return reason === 'RELEASE_REVOKED' || reason === 'RELEASE_BELOW_FLOOR' ? reason : 'HEALTH_FAILED';
}

/** Whether the release runs, with the values of its secrets that it was to be given. */
function isGiven({ phase }: SiteState, { current }: SiteState, release: Digest): boolean {
  const target = 'target' in phase ? phase.target : null;
  return current?.release === release && (target?.cause !== 'secrets' || sameSecrets(target.secrets, current.secrets));
}

/** When all there was to do was to finish what an earlier command began, that is the answer. */
export function recovered(result: SiteResult, before: SiteState, after: SiteState): SiteResult {
  const target = 'target' in before.phase ? before.phase.target : null;
  if (target === null) return result;
  const previous = before.current?.release ?? null;
  if (isGiven(before, after, target.release)) return { ...result, outcome: 'installed', release: target.release, previous, reason: null };
  if (!hasFailed(after, target)) return result;
  return { ...result, outcome: 'rolled-back', release: target.release, previous, reason: whyTakenBack(after, target.release) };
}

function hasFailed({ denied, failedSecrets }: SiteState, { cause, release, secrets = [] }: Target): boolean {
  if (cause !== 'secrets') return denied.some((entry) => entry.release === release);
  return secrets.some((secret) => failedSecrets.some((failed) => isSame(failed, secret)));
}

/** The answer when a site waits for a person. */
export function heldResult(site: Site, state: SiteState): SiteResult {
  const { phase } = state;
  const [reason, message, release] =
    phase.at === 'held' ? [phase.code, phase.message, phase.target?.release ?? null] : (['STATE_CORRUPT', '', null] as const);
  const check: Check = {
    id: 'state',
    verdict: 'fail',
    expected: 'a site that needs nobody',
    actual: message,
    remedy: liftStep(reason, state.drained),
    evidence: [],
    code: reason,
  };
  return { ...base(site, state), outcome: 'held', release, reason, checks: [check] };
}

/** The answer when another program of the updater is to go on. */
export function trialResult(site: Site, state: SiteState, checks: readonly Check[] = []): SiteResult {
  const check: Check = {
    id: 'updater',
    verdict: 'pending',
    expected: 'the updater that this release brings, or the one before it',
    actual: 'it has not been started yet',
    remedy: ERRORS.UPDATER_ON_TRIAL.hint,
    evidence: [],
    code: 'UPDATER_ON_TRIAL',
  };
  const release = 'target' in state.phase ? (state.phase.target?.release ?? null) : null;
  return { ...base(site, state), outcome: 'deferred', release, reason: 'UPDATER_ON_TRIAL', checks: [...checks, check] };
}

/** The answer when not all that the lane has could be brought. */
export function notReached({ site, machine }: CarryContext, synced: SyncAnswer, checks: readonly Check[]): SiteResult {
  // content that waits for a judgement is missing for now, and no failure
  const code = linkCodeOf(synced);
  const reason = code ?? 'CONTENT_MISSING';
  const check: Check = {
    id: 'fetch',
    verdict: 'pending',
    expected: 'an upstream that brings all that the lane has for this site',
    actual: synced.message,
    remedy: code === null ? ERRORS[reason].hint : linkRemedy(code),
    evidence: [],
    code: reason,
  };
  return { ...base(site, machine.state()), outcome: 'deferred', release: null, reason, checks: [...checks, check] };
}

/** The answer that admission gives. */
export function resultOf(site: Site, state: SiteState, outcome: Outcome, { release, reason, checks }: Admission): SiteResult {
  return { ...base(site, state), outcome, release, reason, checks };
}

/** What the host lacks for now, if that is why a release could not be laid down; the next update tries again. */
export function lackOf(error: unknown): (Check & { readonly code: ErrorCode }) | undefined {
  const actual = error instanceof Error ? error.message : String(error);
  const lack = { verdict: 'pending', actual, evidence: [] } as const;
  if (isDiskFull(error) || (error instanceof SiteError && error.code === 'DISK_SHORT')) {
    const expected = 'room for the release beside the one that runs';
    return { ...lack, id: 'disk', expected, remedy: 'free disk: sealane-site gc', code: 'DISK_SHORT' };
  }
  if (!(error instanceof SiteError) || error.code !== 'DRIVER_NOT_READY') return undefined;
  return { ...lack, id: 'driver', expected: 'an engine that takes the release in', remedy: ERRORS.DRIVER_NOT_READY.hint, code: error.code };
}
