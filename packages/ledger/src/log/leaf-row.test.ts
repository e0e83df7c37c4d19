import { generateKeyPairSync } from 'node:crypto';
import { concatBytes, encodeLogLeaf, leafHash, type LogLeaf, sha256Raw, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { leafHashAt } from './leaf-hash.js';
import { leafAt, leafPartsAt, packLeaf } from './leaf-row.js';

const spki = new Uint8Array(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' }));
const PLAIN: LogLeaf = { paeDigest: sha256Raw(utf8('signed')), signature: utf8('a signature'), spki };

/** What a row keeps of these parts. */
const kept = (parts: LogLeaf): Uint8Array => packLeaf(encodeLogLeaf(parts), parts);

/** By the way of checks that do nothing but hash. */
const hashed = (leaf: Uint8Array): Uint8Array => new Uint8Array(Buffer.from(leafHashAt({ leaf: Buffer.from(leaf) }), 'latin1'));

test.each([0, 1, 68, 69, 70, 71, 72, 73, 200])('a leaf of a plain key comes back to the byte, its signature of %i bytes', (length) => {
  const parts = { ...PLAIN, signature: new Uint8Array(length).fill(length) };
  const row = { leaf: kept(parts) };
  expect(row.leaf).toHaveLength(97 + length);
  expect(leafAt(row)).toEqual(encodeLogLeaf(parts));
  expect(leafPartsAt(row)).toEqual(parts);
  expect(hashed(row.leaf)).toEqual(leafHash(encodeLogLeaf(parts)));
  // the block that it was written into has nothing left of it
  expect(hashed(kept(PLAIN))).toEqual(leafHash(encodeLogLeaf(PLAIN)));
});

test.each<[string, Partial<LogLeaf>]>([
  ['a key of another form', { spki: concatBytes(spki, Uint8Array.of(0)) }],
  ['a key of another kind', { spki: concatBytes(Uint8Array.of(0x31), spki.subarray(1)) }],
  ['a digest of another length', { paeDigest: new Uint8Array(31) }],
  ['a certificate', { certificate: utf8('a certificate') }],
])('a leaf with %s is kept as it is', (_, other) => {
  const parts = { ...PLAIN, ...other };
  const leaf = encodeLogLeaf(parts);
  expect(kept(parts)).toEqual(leaf);
  expect(leafAt({ leaf })).toEqual(leaf);
  expect(hashed(leaf)).toEqual(leafHash(leaf));
});

test('what is neither packed nor a leaf is refused as a leaf', () => {
  for (const leaf of [new Uint8Array(161), Uint8Array.of(1, 2, 3), new Uint8Array()])
    expect(() => leafPartsAt({ leaf })).toThrow(expect.objectContaining({ code: 'LOG_LEAF_MALFORMED' }) as Error);
});
