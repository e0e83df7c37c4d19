import { type Digest, digestFromHex } from '@sealane/core';
import type { Conditions, LinkConditions, MeasuredLink } from '@sealane/trust';
import { expect, test } from 'vitest';
import { linkOf } from './link-parity.js';
import type { ReceiptTold } from './receipts.js';

const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const [one, two] = [digest('1'), digest('2')];

const measured: MeasuredLink = { over: 'https', requests: 200, unanswered: 3, firstByteMs: 60, bulkBytes: 1_000_000, bulkMs: 4000 };

function told(release: Digest, statementDigest: Digest, link?: readonly MeasuredLink[]): ReceiptTold {
  return {
    site: 'harbour-7',
    keyId: '0'.repeat(64),
    seq: 1,
    prev: null,
    event: 'installed',
    release,
    waybill: null,
    previous: null,
    reason: null,
    checks: [],
    at: '2026-11-29T10:00:00Z',
    hardware: {},
    checkpoint: null,
    salt: '0'.repeat(32),
    ...(link === undefined ? {} : { link }),
    index: 1,
    statementDigest,
  };
}

const profile = (name: string, change: Partial<LinkConditions> = {}): LinkConditions => {
  const latencyMs = { p50: 80, p95: 120, p99: 300 };
  return { profile: name, samples: 1, latencyMs, jitterMs: 1, lossPercent: 2, retransmitPercent: 1, failoverMs: null, ...change };
};
const run = (...profiles: readonly LinkConditions[]): { readonly run: Digest; readonly document: Conditions } => ({
  run: digest('c'),
  document: { apiVersion: 'sealane/v1', kind: 'Conditions', profiles },
});

test('a link that is no worse than a profile differs from it in nothing; the rate is what conditions do not tell', () => {
  const answer = linkOf([told(one, digest('a'), [measured])], one, [run(profile('lte'))]);
  expect(answer).toEqual({
    receipt: digest('a'),
    release: one,
    at: '2026-11-29T10:00:00Z',
    measured: [measured],
    beside: { run: digest('c'), profile: 'lte', differences: [], unknown: ['https rate'] },
  });
});

test('what is worse at the site is told beside the profile that is most like it', () => {
  const lan = profile('lan', { latencyMs: { p50: 1, p95: 2, p99: 3 }, lossPercent: 0 });
  const worse = linkOf([told(one, digest('a'), [measured])], one, [run(lan)]);
  expect(worse?.beside?.differences).toEqual([
    { over: 'https', what: 'latency', tested: '1 ms', site: '60 ms' },
    { over: 'https', what: 'loss', tested: '0 %', site: '1.5 %' },
  ]);
  const nearer = linkOf([told(one, digest('a'), [measured])], one, [run(lan, profile('sat', { lossPercent: 1 }))]);
  expect(nearer?.beside).toMatchObject({ profile: 'sat', differences: [{ what: 'loss', tested: '1 %', site: '1.5 %' }] });
});

test('the link over which the release came is meant, else the last one that was measured', () => {
  const receipts = [told(one, digest('a'), [measured]), told(two, digest('b'), [measured]), told(two, digest('d'))];
  expect(linkOf(receipts, one, [])?.receipt).toBe(digest('a'));
  expect(linkOf(receipts, two, [])?.receipt).toBe(digest('b'));
  expect(linkOf(receipts, digest('3'), [])).toMatchObject({ receipt: digest('b'), release: two, beside: null });
  expect(linkOf([told(one, digest('a'))], one, [])).toBeNull();
});

test('a folder is beside no link, and a latency that was not measured is unknown', () => {
  const { firstByteMs: _, ...silent } = measured;
  expect(linkOf([told(one, digest('a'), [{ ...silent, over: 'folder' }])], one, [run(profile('lte'))])?.beside).toBeNull();
  expect(linkOf([told(one, digest('a'), [silent])], one, [run(profile('lte'))])?.beside).toMatchObject({
    differences: [],
    unknown: ['https rate', 'https latency'],
  });
});
