import { digestFromHex, type Digest, type JsonObject } from '@sealane/core';
import { MAX_SUMMED_REFUSALS, type ReceiptPredicate, type ReceiptSummary } from '@sealane/trust';
import { expect, test } from 'vitest';
import { type QueueBound, sumUp, type WaitingReceipt } from './sum-up.js';

const BOUND: QueueBound = { receipts: 16, bytes: 1_000_000 };
const digestOf = (seq: number): Digest => digestFromHex(seq.toString(16).padStart(64, '0'));
const hardwareOf = (serial: string): JsonObject => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  metadata: { component: { type: 'device', name: 'ER-220', properties: [{ name: 'sealane:serial', value: serial }] } },
});

function receipt(seq: number, more: Partial<ReceiptPredicate> = {}): WaitingReceipt {
  const said: ReceiptPredicate = {
    site: 'harbour-7',
    keyId: 'a'.repeat(64),
    seq,
    prev: seq === 1 ? null : digestOf(seq - 1),
    event: 'refused',
    release: null,
    waybill: null,
    previous: null,
    reason: 'LOG_FORK',
    checks: [],
    at: `2026-11-24T10:${String(seq % 60).padStart(2, '0')}:00Z`,
    hardware: hardwareOf('S1'),
    checkpoint: null,
    salt: '0'.repeat(32),
    ...more,
  };
  return { digest: digestOf(seq), bytes: 1000, said };
}

const chain = (count: number, more: (seq: number) => Partial<ReceiptPredicate> = () => ({})): readonly WaitingReceipt[] =>
  Array.from({ length: count }, (_, at) => receipt(at + 1, more(at + 1)));

const installedFirst = (seq: number): Partial<ReceiptPredicate> => (seq === 1 ? { event: 'installed', reason: null } : {});

function due(queue: readonly WaitingReceipt[], bound = BOUND): ReceiptSummary {
  const summary = sumUp(queue, bound);
  if (summary === undefined) throw new Error('expected a summary');
  return summary;
}

/** What is left of a queue once the summary of number `seq` stands for its part. */
function after(queue: readonly WaitingReceipt[], seq: number, summary: ReceiptSummary): readonly WaitingReceipt[] {
  const isLeft = ({ said }: WaitingReceipt): boolean => !summary.runs.some(({ from, to }) => from <= said.seq && said.seq <= to);
  return [...queue.filter(isLeft), receipt(seq, { event: 'summed-up', reason: null, summary })];
}

test('a queue within its bounds stays as it is; over the count or the bytes the older refusals are summed up', () => {
  expect(sumUp(chain(16, installedFirst), BOUND)).toBeUndefined();
  expect(due(chain(17, installedFirst))).toEqual({
    runs: [{ from: 2, to: 9, prev: digestOf(1), last: digestOf(9) }],
    count: 8,
    since: '2026-11-24T10:02:00Z',
    until: '2026-11-24T10:09:00Z',
    refused: [{ reason: 'LOG_FORK', release: null, count: 8 }],
    others: 0,
  });
  expect(due(chain(16, installedFirst), { receipts: 16, bytes: 15_000 }).runs).toEqual([
    { from: 2, to: 9, prev: digestOf(1), last: digestOf(9) },
  ]);
});

test.each<[string, Partial<ReceiptPredicate>]>([
  ['an installation', { event: 'installed', reason: null }],
  ['a rollback by itself', { event: 'rolled-back', reason: 'HEALTH_FAILED' }],
  ['a use of a role', { event: 'local-role', reason: null, role: { person: 'ana', verb: 'stop' } }],
  ['a refusal under an exception', { exceptions: [digestOf(99)] }],
  [
    'what was found beside the release',
    { checks: [{ id: 'strays', verdict: 'fail', expected: '', actual: '', remedy: '', evidence: [] }] },
  ],
  ['the first with other hardware', { hardware: hardwareOf('S2') }],
])('%s is told by itself', (_, special) => {
  const queue = chain(24, (seq) => (seq === 6 ? special : installedFirst(seq)));
  const { runs } = due(queue);
  expect(runs[0]).toEqual({ from: 2, to: 5, prev: digestOf(1), last: digestOf(5) });
  expect(runs.some(({ from, to }) => from <= 6 && 6 <= to)).toBe(false);
});

test('a summary that is summed up hands on what it stood for, however often; nothing is counted twice or forgotten', () => {
  let queue = chain(1, installedFirst);
  let refusals = 0;
  for (let seq = 2; seq <= 600; seq += 1) {
    const summary = sumUp(queue, BOUND);
    if (summary === undefined) {
      const isInstall = seq % 97 === 0;
      refusals += isInstall ? 0 : 1;
      queue = [
        ...queue,
        receipt(seq, isInstall ? { event: 'installed', reason: null } : { reason: seq % 2 === 0 ? 'LOG_FORK' : 'TRUST_ROLLBACK' }),
      ];
    } else queue = after(queue, seq, summary);
    expect(queue.length).toBeLessThanOrEqual(17 + 8);
    const told = queue.reduce((total, { said }) => total + (said.event === 'refused' ? 1 : (said.summary?.count ?? 0)), 0);
    expect(told).toBe(refusals);
    const numbers = queue.flatMap(({ said }) => [said.seq, ...(said.summary?.runs ?? []).flatMap(({ from, to }) => range(from, to))]);
    expect(numbers.sort((a, b) => a - b)).toEqual(range(1, seq));
  }
});

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

test('refusals for more reasons than a summary has lines are counted as others', () => {
  const { refused, others, count } = due(chain(300, (seq) => (seq === 1 ? installedFirst(1) : { release: digestOf(seq) })));
  expect({ lines: refused.length, others, count }).toEqual({ lines: MAX_SUMMED_REFUSALS, others: 291 - MAX_SUMMED_REFUSALS, count: 291 });
});

test('a queue of what is never summed up gets no summary for each refusal', () => {
  expect(
    sumUp(
      chain(40, (seq) => (seq % 6 === 0 ? {} : { event: 'installed', reason: null })),
      BOUND,
    ),
  ).toBeUndefined();
});
