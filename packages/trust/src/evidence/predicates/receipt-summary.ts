/** What a receipt stands for that sums up older ones: which numbers of the chain, and what was in them. */
import type { Digest } from '@sealane/core';
import { z } from 'zod';
import { countShape, digestShape, timeShape } from '../../policy/shapes.js';

/** Most runs, and most lines of refusals, in one summary. */
export const MAX_SUMMED_RUNS = 64;
export const MAX_SUMMED_REFUSALS = 64;

/**
 * Receipts `from` to `to` of the chain. `prev` = statement digest of the one before `from`, null when it was the first; `last` = that of `to`. As each
 * receipt names the one before it, `last` commits to all of the run: one that turns up later is shown to be of it, or not.
 */
export type SummedRun = {
  readonly from: number;
  readonly to: number;
  readonly prev: Digest | null;
  readonly last: Digest;
};

/** How often one release, or none, was refused for one reason. */
export type SummedRefusal = {
  readonly reason: string;
  readonly release: Digest | null;
  readonly count: number;
};

/**
 * `runs` in the order of the chain; earlier summaries that are folded in are of them. `count` = how many refusals, the first of them at `since`, the
 * last at `until`, by the site's trusted time; `refused` = the most frequent, and `others` = how many are in no line of it.
 */
export type ReceiptSummary = {
  readonly runs: readonly SummedRun[];
  readonly count: number;
  readonly since: string;
  readonly until: string;
  readonly refused: readonly SummedRefusal[];
  readonly others: number;
};

const runShape = z.strictObject({
  from: z.int().min(1),
  to: z.int().min(1),
  prev: digestShape.nullable(),
  last: digestShape,
});

/** Zod's shape of a summary. */
export const receiptSummaryShape = z.strictObject({
  runs: z.array(runShape).min(1).max(MAX_SUMMED_RUNS),
  count: z.int().min(1),
  since: timeShape,
  until: timeShape,
  refused: z
    .array(
      z.strictObject({
        reason: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/),
        release: digestShape.nullable(),
        count: z.int().min(1),
      }),
    )
    .min(1)
    .max(MAX_SUMMED_REFUSALS),
  others: countShape,
});
