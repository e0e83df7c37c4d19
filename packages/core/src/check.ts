/** The outcome of one rule: the unit that gates, admission, plans and receipts share. */
import type { Digest } from './digest.js';
import type { ErrorCode } from './error-table.js';

export type Verdict = 'pass' | 'fail' | 'pending' | 'error';

/**
 * One rule's verdict. `expected`, `actual` and `remedy` are for people; `evidence` lists the statement digests that the rule
 * read. `code` is the named refusal behind a verdict other than pass. `earliest` is when a pending rule could pass (RFC 3339).
 */
export interface Check {
  readonly id: string;
  readonly verdict: Verdict;
  readonly expected: string;
  readonly actual: string;
  readonly remedy: string;
  readonly evidence: readonly Digest[];
  readonly code?: ErrorCode;
  readonly earliest?: string;
}
