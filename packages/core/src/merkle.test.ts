import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foreignVectors } from '../../../test/support/foreign.js';
import { CoreError } from './errors.js';
import { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle.js';
import { consistencyProof, inclusionProof, rootFromTiles, type TileReader, tilesForProofs } from './merkle-tiles.js';
import { TILE_WIDTH, tilePath } from './tile-path.js';

/** A naive RFC 6962 tree by the text of the specification, to hold ours against. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return emptyRoot();
  if (hashes.length === 1) return hashes[0]!;
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return nodeHash(naiveRoot(hashes.slice(0, k)), naiveRoot(hashes.slice(k)));
}

/** Tiles of a naive tree. */
function tilesOf(hashes: readonly Uint8Array[], wanted?: Set<string>): TileReader {
  return ({ level, index, width }) => {
    wanted?.add(tilePath({ level, index, width }));
    const span = TILE_WIDTH ** level;
    const roots = Array.from({ length: width }, (_, n) => {
      const begin = (index * TILE_WIDTH + n) * span;
      return naiveRoot(hashes.slice(begin, begin + span));
    });
    return Buffer.concat(roots);
  };
}

const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)));

test('computes the root of a tree from its tiles as the specification does', () => {
  for (const size of [0, 1, 2, 3, 255, 256, 257, 511, 513, 1000]) {
    const hashes = leaves(size);
    expect(rootFromTiles(size, tilesOf(hashes))).toEqual(naiveRoot(hashes));
  }
});

test('every proof out of tiles verifies, and reads only the tiles it announced', () => {
  const hashes = leaves(700);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.nat(), (size, a, b) => {
      const index = a % size;
      const size1 = 1 + (b % size);
      const read = new Set<string>();
      const reader = tilesOf(hashes.slice(0, size), read);
      const root = naiveRoot(hashes.slice(0, size));
      verifyInclusion({ leafHash: hashes[index]!, index, size, proof: inclusionProof(index, size, reader), root });
      const proof = consistencyProof(size1, size, reader);
      verifyConsistency({ size1, size2: size, root1: naiveRoot(hashes.slice(0, size1)), root2: root, proof });
      const announced = tilesForProofs({ size, inclusionOf: [index], consistencyFrom: [size1] }).map(tilePath);
      expect(new Set(announced)).toEqual(read);
    }),
    { numRuns: 60 },
  );
});

test('a proof with one bit turned, one hash more or one less is refused', () => {
  const hashes = leaves(300);
  const root = naiveRoot(hashes);
  const proof = inclusionProof(77, 300, tilesOf(hashes));
  const base = { leafHash: hashes[77]!, index: 77, size: 300, root };
  for (let n = 0; n < proof.length; n += 1) {
    const bent = proof.map((hash, at) => (at === n ? Uint8Array.from(hash, (byte, i) => (i === 5 ? byte ^ 1 : byte)) : hash));
    expect(() => verifyInclusion({ ...base, proof: bent })).toThrow(expect.objectContaining({ code: 'PROOF_MISMATCH' }));
  }
  expect(() => verifyInclusion({ ...base, proof: proof.slice(1) })).toThrow(expect.objectContaining({ code: 'PROOF_LENGTH' }));
  expect(() => verifyInclusion({ ...base, proof: [...proof, root] })).toThrow(expect.objectContaining({ code: 'PROOF_LENGTH' }));
});

const foreign = foreignVectors();
const files = (kind: string): string[] =>
  foreign === undefined
    ? []
    : readdirSync(path.join(foreign, 'merkle', kind), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.json'))
        .map((name) => path.join(foreign, 'merkle', kind, name));
const bytes = (text: string | null): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64'));
const outcome = (verify: () => void): boolean => {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof CoreError) return false;
    throw error;
  }
};

describe.skipIf(foreign === undefined)('the vectors of transparency-dev/merkle (SEALANE_FOREIGN_VECTORS)', () => {
  test('98 inclusion cases', () => {
    const cases = files('inclusion');
    expect(cases).toHaveLength(98);
    for (const file of cases) {
      const v = JSON.parse(readFileSync(file, 'utf8'));
      const proof = (v.proof ?? []).map(bytes);
      const input = { leafHash: bytes(v.leafHash), index: v.leafIdx, size: v.treeSize, proof, root: bytes(v.root) };
      expect([file, outcome(() => verifyInclusion(input))]).toEqual([file, !v.wantErr]);
    }
  });

  test('98 consistency cases', () => {
    const cases = files('consistency');
    expect(cases).toHaveLength(98);
    for (const file of cases) {
      const v = JSON.parse(readFileSync(file, 'utf8'));
      const proof = (v.proof ?? []).map(bytes);
      const input = { size1: v.size1, size2: v.size2, root1: bytes(v.root1), root2: bytes(v.root2), proof };
      expect([file, outcome(() => verifyConsistency(input))]).toEqual([file, !v.wantErr]);
    }
  });
});
