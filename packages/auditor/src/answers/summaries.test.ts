import { type Digest, digestFromHex } from '@sealane/core';
import type { SummedRun } from '@sealane/trust';
import { expect, test } from 'vitest';
import { isOfChain } from './summaries.js';

const digestOf = (seq: number): Digest => digestFromHex(seq.toString(16).padStart(64, '0'));
const link = (seq: number) => ({ seq, prev: seq === 1 ? null : digestOf(seq - 1), statementDigest: digestOf(seq) });
/** Receipts 3 to 5 did not come; number 7 stands for them. */
const chain = [1, 2, 6, 7].map(link);
const run: SummedRun = { from: 3, to: 5, prev: digestOf(2), last: digestOf(5) };

test('a run that lies between its neighbours is of the chain, also where nobody brought these or somebody brought the run', () => {
  expect(isOfChain(run, link(7), chain)).toBe(true);
  expect(isOfChain(run, link(7), [link(7)])).toBe(true);
  expect(isOfChain(run, link(7), [1, 2, 3, 4, 5, 6, 7].map(link))).toBe(true);
  expect(isOfChain({ from: 1, to: 5, prev: null, last: digestOf(5) }, link(7), [link(6), link(7)])).toBe(true);
});

test.each<[string, Partial<SummedRun>]>([
  ['that another receipt is before', { prev: digestOf(9) }],
  ['whose last the next one does not name', { last: digestOf(9) }],
  ['that begins later than it ends', { from: 6, prev: digestOf(5) }],
  ['that reaches to its own summary', { to: 7, last: digestOf(7) }],
  ['that reaches beyond its own summary', { to: 9, last: digestOf(9) }],
  ['that says it was the first and is not', { prev: null }],
  ['that was the first and says it is not', { from: 1 }],
])('a run %s is not', (_, change) => {
  expect(isOfChain({ ...run, ...change }, link(7), chain)).toBe(false);
});
