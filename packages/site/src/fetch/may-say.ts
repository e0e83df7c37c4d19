/** What `fetch` may say that it ran into, by code: of its link, its budgets, its folders and its settings. */
import type { ErrorCode } from '@sealane/core';

/**
 * A closed list, since `fetch` is not trusted: each of these puts off what is to be brought, and none says of anything that was brought whether it is
 * right. That is `apply`'s to find out: a code of trust, log or content would be a verdict.
 */
export const FETCH_MAY_SAY = [
  'FETCH_FAILED',
  'FETCH_TOO_SLOW',
  'BUDGET_SPENT',
  'DISK_SHORT',
  'STATE_UNWRITABLE',
  'CONFIG_INVALID',
] as const satisfies readonly ErrorCode[];

export type FetchCode = (typeof FETCH_MAY_SAY)[number];

/** The code, if `fetch` may say it; else the one that says least. */
export function sayable(code: ErrorCode | null): FetchCode {
  return FETCH_MAY_SAY.find((each) => each === code) ?? 'FETCH_FAILED';
}
