/** What reports are made of: the answer of `plan` or `promote`, as it is printed with `--json`. */
import type { Check, Digest } from '@sealane/core';

/** The JSON of an outcome, and the exit code that goes with it. */
export interface ReportedOutcome {
  readonly release: Digest;
  readonly to: string;
  readonly decision: 'passed' | 'refused' | 'pending';
  readonly checks: readonly Check[];
  /** RFC 3339; null where there is none. */
  readonly earliest: string | null;
  readonly statement: Digest | null;
  readonly logIndex: number | null;
  readonly exit: number;
}
