import { digestFromHex } from '@sealane/core';

import { expect, test } from 'vitest';
import type { ReceiptTold } from './receipts.js';
import { gaps } from './site-history.js';
import type { SummaryTold } from './summaries.js';

const receipt = (seq: number, keyId = 'k'): ReceiptTold => ({ seq, keyId }) as unknown as ReceiptTold;
const summary = (seq: number, from: number, to: number): SummaryTold =>
  ({ receipt: receipt(seq), said: { runs: [{ from, to, prev: null, last: digestFromHex('0'.repeat(64)) }] } }) as unknown as SummaryTold;

test('numbers that nobody brought and no summary stands for are missing, of this key alone', () => {
  expect(
    gaps(
      [1, 4, 8].map((seq) => receipt(seq)),
      [summary(8, 5, 6)],
      'k',
    ),
  ).toEqual([2, 3, 7]);
  expect(gaps([receipt(5, 'other')], [], 'k')).toEqual([]);
});

test('a site that signs a number of its own choosing gets a short list, at once', () => {
  const far = Number.MAX_SAFE_INTEGER - 1;
  expect(
    gaps(
      [1, far].map((seq) => receipt(seq)),
      [],
      'k',
    ),
  ).toHaveLength(1000);
  expect(
    gaps(
      [1, far].map((seq) => receipt(seq)),
      [summary(far, 2, far - 2)],
      'k',
    ),
  ).toEqual([far - 1]);
});
