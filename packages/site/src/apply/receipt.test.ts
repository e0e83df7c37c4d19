import { type Digest, digestFromHex, LIMITS, SealaneError, verifyEnvelope } from '@sealane/core';
import { parseBundle, readReceipt } from '@sealane/trust';
import { expect, test } from 'vitest';
import { createSiteKey } from '../site-key.js';
import { receiptFile } from '../state-folder.js';
import { MemoryDisk, PowerCut } from '../testing/memory-disk.js';
import { queueReceipt, type ReceiptFacts } from './receipt.js';
import type { OwedReceipt } from './state.js';

const FOLDER = '/state/receipts';
const release = digestFromHex('a'.repeat(64));
const owed: OwedReceipt = {
  event: 'installed',
  release,
  waybill: null,
  previous: null,
  reason: null,
  checks: [],
  at: '2026-11-24T10:00:00Z',
};
const hardware = { bomFormat: 'CycloneDX', specVersion: '1.7', version: 1 };
const factsOf = (seq: number, prev: Digest | null, salt = '0'.repeat(32)): ReceiptFacts => ({
  site: 'harbour-7',
  seq,
  prev,
  hardware,
  variables: {},
  seenCheckpoint: null,
  salt,
});

function bundleAt(disk: MemoryDisk, seq: number): ReturnType<typeof parseBundle> {
  return parseBundle(disk.read(receiptFile(FOLDER, seq), LIMITS.bundleBytes) ?? new Uint8Array());
}

async function codeOf(run: Promise<unknown>): Promise<string | undefined> {
  try {
    await run;
  } catch (error) {
    return error instanceof SealaneError ? error.code : String(error);
  }
  return undefined;
}

test('each receipt is signed by the key of the site and names the one before', async () => {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, '/state/site.pem');
  let prev: Digest | null = null;
  for (let seq = 1; seq <= 3; seq += 1) {
    const digest: Digest = await queueReceipt(disk, FOLDER, owed, factsOf(seq, prev), signer);
    const bundle = bundleAt(disk, seq);
    expect(readReceipt(bundle.statement)).toMatchObject({ seq, prev, event: 'installed', release, keyId: signer.keyId });
    expect(bundle.statementDigest).toBe(digest);
    expect(() => verifyEnvelope(bundle.envelope, signer.spki)).not.toThrow();
    prev = digest;
  }
});

test('a receipt that was written before the crash is taken as it is: asked again with another salt it is the same bytes', async () => {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, '/state/site.pem');
  const first = await queueReceipt(disk, FOLDER, owed, factsOf(1, null), signer);
  const bytes = disk.bytes(receiptFile(FOLDER, 1));
  expect(await queueReceipt(disk, FOLDER, owed, factsOf(1, null, 'f'.repeat(32)), signer)).toBe(first);
  expect(disk.bytes(receiptFile(FOLDER, 1))).toEqual(bytes);
});

test('another receipt under its number is damage, and stays as it is', async () => {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, '/state/site.pem');
  await queueReceipt(disk, FOLDER, owed, factsOf(1, null), signer);
  const bytes = disk.bytes(receiptFile(FOLDER, 1));
  const others: readonly OwedReceipt[] = [
    { ...owed, event: 'refused' },
    { ...owed, release: digestFromHex('b'.repeat(64)) },
    { ...owed, at: '2026-11-24T10:00:01Z' },
  ];
  for (const other of others) expect(await codeOf(queueReceipt(disk, FOLDER, other, factsOf(1, null), signer))).toBe('STATE_CORRUPT');
  expect(await codeOf(queueReceipt(disk, FOLDER, owed, factsOf(1, release), signer))).toBe('STATE_CORRUPT');
  disk.writeQuietly(receiptFile(FOLDER, 2), new Uint8Array([123]));
  expect(await codeOf(queueReceipt(disk, FOLDER, owed, factsOf(2, null), signer))).toBe('STATE_CORRUPT');
  expect(disk.bytes(receiptFile(FOLDER, 1))).toEqual(bytes);
});

test('a power cut at any operation leaves no receipt or a whole one', async () => {
  let cuts = 0;
  for (let cutAt = 1; ; cutAt += 1) {
    const disk = new MemoryDisk();
    const signer = createSiteKey(disk, '/state/site.pem');
    disk.cutAt = disk.operations + cutAt;
    const code = await codeOf(queueReceipt(disk, FOLDER, owed, factsOf(1, null), signer));
    if (code === undefined) break;
    expect(code).toBe(String(new PowerCut()));
    cuts += 1;
    disk.cut();
    if (disk.kind(receiptFile(FOLDER, 1)) === 'file') expect(readReceipt(bundleAt(disk, 1).statement).seq).toBe(1);
    await queueReceipt(disk, FOLDER, owed, factsOf(1, null), signer);
    expect(readReceipt(bundleAt(disk, 1).statement).seq).toBe(1);
  }
  expect(cuts).toBeGreaterThanOrEqual(3);
});

test('carries only what did not pass, within the bounds of the format', async () => {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, '/state/site.pem');
  const failed = { id: 'health', verdict: 'fail' as const, expected: 'x', actual: 'y'.repeat(5000), remedy: '', evidence: [] };
  const checks = [{ ...failed, verdict: 'pass' as const }, ...Array.from({ length: 200 }, () => failed)];
  await queueReceipt(disk, FOLDER, { ...owed, event: 'refused', reason: 'HEALTH_FAILED', checks }, factsOf(1, null), signer);
  const receipt = readReceipt(bundleAt(disk, 1).statement);
  expect(receipt.checks).toHaveLength(128);
  expect(receipt.checks[0]).toMatchObject({ verdict: 'fail', actual: 'y'.repeat(2000) });
});

test('is made whatever a text of it holds where it is cut', async () => {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, '/state/site.pem');
  const check = { id: 'strays', verdict: 'fail' as const, expected: '', actual: `x${'\u{1f642}'.repeat(2000)}`, remedy: '', evidence: [] };
  await queueReceipt(disk, FOLDER, { ...owed, checks: [check] }, factsOf(1, null), signer);
  expect(readReceipt(bundleAt(disk, 1).statement).checks[0]?.actual).toBe(`x${'\u{1f642}'.repeat(999)}\ufffd`);
});

test('names the variables that are set and the digest of what was rendered, and neither where there is none', async () => {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, '/state/site.pem');
  await queueReceipt(disk, FOLDER, { ...owed, rendered: release }, { ...factsOf(1, null), variables: { MODE: 'fast' } }, signer);
  await queueReceipt(disk, FOLDER, owed, factsOf(2, null), signer);
  expect(readReceipt(bundleAt(disk, 1).statement)).toMatchObject({ variables: { MODE: 'fast' }, rendered: release });
  expect(Object.keys(readReceipt(bundleAt(disk, 2).statement))).not.toContain('variables');
  expect(Object.keys(readReceipt(bundleAt(disk, 2).statement))).not.toContain('rendered');
});
