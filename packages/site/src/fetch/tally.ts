/** What a sync wanted, and what became of it. */
import type { Digest } from '@sealane/core';
import { blobPath } from './mirror.js';

/** What was wanted and what became of it; paths are the lane's, `wanted` hex digests. */
export type Tally = {
  readonly absent: string[];
  readonly wrong: string[];
  readonly wanted: Set<string>;
  /** Files of `trust/` and `log/` that were used. */
  readonly named: Set<string>;
  fetched: number;
  kept: number;
};

/** Nothing was wanted yet. */
export function emptyTally(): Tally {
  return { absent: [], wrong: [], wanted: new Set(), named: new Set(), fetched: 0, kept: 0 };
}

/** Counts what became of a blob; whether it is here. */
export function count(tally: Tally, digest: Digest, outcome: 'kept' | 'fetched' | 'absent' | 'wrong'): boolean {
  if (outcome === 'kept' || outcome === 'fetched') {
    tally[outcome] += 1;
    return true;
  }
  tally[outcome].push(blobPath(digest));
  return false;
}
