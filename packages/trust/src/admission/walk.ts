/** The list of checks as admission walks through its steps: each step passes, or ends the walk with its refusal. */
import { type Check, type Digest, ERRORS, type ErrorCode, SealaneError } from '@sealane/core';

/** Ends a walk; the check that says why is the last one of the list. */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly source: SealaneError | null,
  ) {
    super(code);
  }
}

/** What a step is called and what it wants; `says` words what it found. */
export interface Step<T> {
  readonly id: string;
  readonly expected: string;
  readonly run: () => T;
  readonly says: (value: T) => string;
  readonly evidence?: (value: T) => readonly Digest[];
}

/** A walk in progress. */
export interface Walk {
  readonly checks: Check[];
  /** Runs a step. @throws Refusal when it throws a `SealaneError`; other faults pass through */
  step<T>(step: Step<T>): T;
}

/** Longest text of a field of a check: what receipts can record. */
const MAX_TEXT = 2000;

/** Starts a walk. */
export function startWalk(): Walk {
  const checks: Check[] = [];
  const step = <T>({ id, expected, run, says, evidence }: Step<T>): T => {
    try {
      const value = run();
      checks.push({ id, verdict: 'pass', expected, actual: says(value).slice(0, MAX_TEXT), remedy: '', evidence: evidence?.(value) ?? [] });
      return value;
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      const remedy = error.hint ?? ERRORS[error.code].hint;
      checks.push({ id, verdict: 'fail', expected, actual: error.message.slice(0, MAX_TEXT), remedy, evidence: [], code: error.code });
      throw new Refusal(error.code, error);
    }
  };
  return { checks, step };
}
