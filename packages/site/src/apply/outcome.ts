/** What `check`, `update` and `rollback` answer, and with which exit code. */
import type { Check, Digest, ErrorCode, ExitCode } from '@sealane/core';
import type { Site } from '../site.js';
import type { SiteState } from './state.js';

/** How it ended, in the words of the command line. */
export type Outcome = 'available' | 'installed' | 'unchanged' | 'deferred' | 'refused' | 'rolled-back' | 'held';

/** The answer: which release it is about, which one ran before, why, and every check that was made. */
export interface SiteResult {
  readonly site: string;
  readonly outcome: Outcome;
  readonly release: Digest | null;
  readonly previous: Digest | null;
  readonly reason: ErrorCode | null;
  readonly checks: readonly Check[];
}

/** What every answer names: the site, and what ran before. */
export function base(site: Site, state: SiteState): Pick<SiteResult, 'site' | 'previous'> {
  return { site: site.config.name, previous: state.current?.release ?? null };
}

/** Whether what a command answered is the answer of `check`, `update` or `rollback`. */
export function isSiteResult(json: object): json is SiteResult {
  return 'outcome' in json && 'checks' in json;
}

/** Refusals that say: what is offered is genuine, and may not run here. All others say that something is wrong with it. */
const DENIED = /^(?:WAYBILL_APPROVALS|CHANNEL_HELD|(?:EVIDENCE|HARDWARE|RELEASE|SITE)_[A-Z_]+)$/;

/**
 * The exit code: installed, unchanged, available 0 · deferred 5, but 6 when no upstream could be reached, or only too slowly · rolled back 7 · held 8 · refused 3
 * where policy denied it, else 4.
 */
export function exitOf({ outcome, reason }: Pick<SiteResult, 'outcome' | 'reason'>): ExitCode {
  switch (outcome) {
    case 'available':
    case 'installed':
    case 'unchanged':
      return 0;
    case 'deferred':
      return reason === 'FETCH_FAILED' || reason === 'FETCH_TOO_SLOW' ? 6 : 5;
    case 'rolled-back':
      return 7;
    case 'held':
      return 8;
    case 'refused':
      return reason !== null && DENIED.test(reason) ? 3 : 4;
  }
}
