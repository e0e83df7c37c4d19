/** Making checks: one form for all gates, bounded so that a decision can record them. */
import { type Check, counted, type Digest, type ErrorCode } from '@sealane/core';

/** Longest text of a field of a check, in UTF-16 units: what decisions and receipts can record. */
const MAX_TEXT = 2000;
/** Most statements that one check can name: what decisions can record. */
const MAX_EVIDENCE = 512;

/** What a gate says when it passes. */
export interface PassWords {
  readonly expected: string;
  readonly actual: string;
  readonly evidence: readonly Digest[];
}

/** What a gate says when it does not: `remedy` is the next thing to do, a command where there is one. */
export interface RefusalWords extends PassWords {
  readonly code: ErrorCode;
  readonly remedy: string;
}

/** The rule holds. */
export function passed(id: string, words: PassWords): Check {
  return bounded({ id, verdict: 'pass', ...words, remedy: '' });
}

/** The rule does not hold, and time alone will not change that. */
export function failed(id: string, words: RefusalWords): Check {
  return bounded({ id, verdict: 'fail', ...words });
}

/** The rule does not hold yet; `earliest` where it is known when it could. */
export function pending(id: string, words: RefusalWords & { readonly earliest?: string }): Check {
  return bounded({ id, verdict: 'pending', ...words });
}

/** The rule could not be judged: that is never a pass. */
export function faulty(id: string, words: Omit<RefusalWords, 'evidence'>): Check {
  return bounded({ id, verdict: 'error', ...words, evidence: [] });
}

/** Statement digests in one order, each once. */
export function sortedDigests(digests: Iterable<Digest>): readonly Digest[] {
  return [...new Set(digests)].sort();
}

function bounded(check: Check): Check {
  const evidence = sortedDigests(check.evidence);
  if (evidence.length > MAX_EVIDENCE) {
    const actual = `reads ${counted(evidence.length, 'statement')}`;
    return {
      id: check.id,
      verdict: 'error',
      expected: `at most ${MAX_EVIDENCE} statements`,
      actual,
      remedy: 'make a new release: this one has more evidence than a decision can record',
      evidence: [],
      code: 'GATE_ERROR',
    };
  }
  return { ...check, expected: cut(check.expected), actual: cut(check.actual), remedy: cut(check.remedy), evidence };
}

/** Cuts a text, and what would draw on a terminal out of it: names in it come from reports and inventories. */
function cut(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cs}]+/gu, ' ');
  return plain.length <= MAX_TEXT ? plain : `${plain.slice(0, MAX_TEXT - 2).replace(/[\uD800-\uDBFF]$/, '')} …`;
}
