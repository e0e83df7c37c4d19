/** What `check`, `update` and `rollback` answer, and with which exit code. */
import { type Check, type Digest, ERRORS, type ErrorCode, type ExitCode } from '@sealane/core';

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

/**
 * The exit code: installed, unchanged, available 0 · deferred 5, but 6 when no upstream could be reached · rolled back 7 · held 8 · refused 3
 * where policy denied it, else 4.
 */
export function exitOf({ outcome, reason }: Pick<SiteResult, 'outcome' | 'reason'>): ExitCode {
  switch (outcome) {
    case 'available':
    case 'installed':
    case 'unchanged':
      return 0;
    case 'deferred':
      return reason === 'FETCH_FAILED' ? 6 : 5;
    case 'rolled-back':
      return 7;
    case 'held':
      return 8;
    case 'refused':
      return reason !== null && ERRORS[reason].exit === 3 ? 3 : 4;
  }
}
