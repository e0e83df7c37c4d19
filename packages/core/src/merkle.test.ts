import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foreignVectors } from '../../../test/support/foreign.js';
import { refusal } from '../../../test/support/refusal.js';
import { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle.js';
import { consistencyProof, inclusionProof, rootFromTiles, tileInclusionProof, type TileReader, tilesForProofs } from './merkle-tiles.js';
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

test.each([0, 1, 489, 4094, 4095, 4096, 65_535])(
  'hashes a leaf of %i bytes as the specification does, whatever was hashed before',
  (length) => {
    leafHash(Buffer.alloc(4095, 0xff));
    const bytes = Buffer.alloc(length, 0x5a);
    const expected = createHash('sha256')
      .update(Buffer.from([0]))
      .update(bytes)
      .digest();
    expect(leafHash(bytes)).toEqual(new Uint8Array(expected));
  },
);

test('computes the root of a tree from its tiles as the specification does', () => {
  for (const size of [0, 1, 2, 3, 255, 256, 257, 511, 513, 1000]) {
    const hashes = leaves(size);
    expect(rootFromTiles(size, tilesOf(hashes))).toEqual(naiveRoot(hashes));
  }
});

test('proves each lowest tile, also the last one, as an entry of the tree of tiles', () => {
  const hashes = leaves(1300);
  for (const size of [1, 2, 255, 256, 257, 300, 511, 512, 513, 768, 1024, 1025, 1300]) {
    const [tiles, root] = [tilesOf(hashes.slice(0, size)), naiveRoot(hashes.slice(0, size))];
    const count = Math.ceil(size / TILE_WIDTH);
    for (let index = 0; index < count; index += 1) {
      const tileRoot = naiveRoot(hashes.slice(index * TILE_WIDTH, Math.min(size, (index + 1) * TILE_WIDTH)));
      verifyInclusion({ leafHash: tileRoot, index, size: count, proof: tileInclusionProof(index, size, tiles), root });
    }
    expect(refusal(() => tileInclusionProof(count, size, tiles))).toBe('PROOF_LENGTH');
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
const accepts = (verify: () => void): boolean => refusal(verify) === undefined;

describe.skipIf(foreign === undefined)('the vectors of transparency-dev/merkle (skipped without SEALANE_FOREIGN_VECTORS)', () => {
  test('98 inclusion cases', () => {
    const cases = files('inclusion');
    expect(cases).toHaveLength(98);
    for (const file of cases) {
      const v = JSON.parse(readFileSync(file, 'utf8'));
      const proof = (v.proof ?? []).map(bytes);
      const input = { leafHash: bytes(v.leafHash), index: v.leafIdx, size: v.treeSize, proof, root: bytes(v.root) };
      expect([file, accepts(() => verifyInclusion(input))]).toEqual([file, !v.wantErr]);
    }
  });

  test('98 consistency cases', () => {
    const cases = files('consistency');
    expect(cases).toHaveLength(98);
    for (const file of cases) {
      const v = JSON.parse(readFileSync(file, 'utf8'));
      const proof = (v.proof ?? []).map(bytes);
      const input = { size1: v.size1, size2: v.size2, root1: bytes(v.root1), root2: bytes(v.root2), proof };
      expect([file, accepts(() => verifyConsistency(input))]).toEqual([file, !v.wantErr]);
    }
  });

  test('204 subtree inclusion cases: a whole subtree is a tree of its own', () => {
    const cases = files('subtreeinclusion');
    expect(cases).toHaveLength(204);
    for (const file of cases) {
      const v = JSON.parse(readFileSync(file, 'utf8'));
      const input = {
        leafHash: bytes(v.leafHash),
        index: v.leafIdx - v.start,
        size: v.end - v.start,
        proof: (v.proof ?? []).map(bytes),
        root: bytes(v.root),
      };
      const accepted = isSubtree(v.start, v.end) && accepts(() => verifyInclusion(input));
      expect([file, accepted]).toEqual([file, !v.wantErr]);
    }
  });

  test('subtree consistency cases that start at 0 are consistency cases', () => {
    const cases = files('subtreeconsistency').map((file) => [file, JSON.parse(readFileSync(file, 'utf8'))]);
    expect(cases).toHaveLength(118);
    // an empty subtree proves nothing: we refuse it, the reference takes the empty root
    const usable = cases.filter(([, v]) => v.start === 0 && v.end > 0);
    expect(usable).toHaveLength(91);
    for (const [file, v] of usable) {
      const input = { size1: v.end, size2: v.size, root1: bytes(v.root1), root2: bytes(v.root2), proof: (v.proof ?? []).map(bytes) };
      expect([file, accepts(() => verifyConsistency(input))]).toEqual([file, !v.wantErr]);
    }
  });
});

/** Whether [start, end) is a subtree: start is a multiple of the power of two that holds end - start. */
function isSubtree(start: number, end: number): boolean {
  let span = 1;
  while (span < end - start) span *= 2;
  return end > start && start % span === 0;
}

test('hashes that are not 32 bytes are refused: a border moved between two gives the same node', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  const joined = Buffer.concat([left, right]);
  const [short, long] = [joined.subarray(0, 31), joined.subarray(31)];
  expect(refusal(() => nodeHash(short, long))).toBe('PROOF_LENGTH');
  const root2 = nodeHash(left, right);
  expect(refusal(() => verifyConsistency({ size1: 1, size2: 2, root1: short, root2, proof: [long] }))).toBe('PROOF_LENGTH');
  expect(refusal(() => verifyInclusion({ leafHash: short, index: 0, size: 2, proof: [long], root: root2 }))).toBe('PROOF_LENGTH');
});

test('a node is SHA-256 of 0x01 and both hashes, and owns its bytes', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  const first = nodeHash(left, right);
  nodeHash(right, left);
  expect(Buffer.from(first)).toEqual(
    createHash('sha256')
      .update(Buffer.from([1]))
      .update(left)
      .update(right)
      .digest(),
  );
});

test('sizes and indexes that are no counts are refused, not looped on', () => {
  const hash = emptyRoot();
  const tiles: TileReader = ({ width }) => Buffer.alloc(width * 32);
  for (const odd of [-1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(refusal(() => verifyInclusion({ leafHash: hash, index: odd, size: 9, proof: [], root: hash }))).toBe('PROOF_LENGTH');
    expect(refusal(() => verifyConsistency({ size1: odd, size2: 9, root1: hash, root2: hash, proof: [] }))).toBe('PROOF_LENGTH');
    expect(refusal(() => verifyConsistency({ size1: 1, size2: odd, root1: hash, root2: hash, proof: [] }))).toBe('PROOF_LENGTH');
    expect(refusal(() => inclusionProof(odd, 9, tiles))).toBe('PROOF_LENGTH');
    expect(refusal(() => consistencyProof(odd, 9, tiles))).toBe('PROOF_LENGTH');
  }
});

test('a tile of the wrong size is refused', () => {
  expect(refusal(() => rootFromTiles(5, ({ width }) => Buffer.alloc(width * 32 - 1)))).toBe('TILE_MALFORMED');
  expect(refusal(() => inclusionProof(2, 5, ({ width }) => Buffer.alloc(width * 32 + 32)))).toBe('TILE_MALFORMED');
});

test('proofs of trees beyond 2^32 entries verify: nothing is cut to 32 bits', () => {
  // all leaves equal, so the hash of a whole subtree depends on its level only
  const whole = [leafHash(Buffer.from('x'))];
  for (let level = 1; level <= 52; level += 1) whole.push(nodeHash(whole[level - 1]!, whole[level - 1]!));
  const tiles: TileReader = ({ level, width }) => Buffer.concat(Array.from({ length: width }, () => whole[level * 8]!));
  const size = 2 ** 40 + 2 ** 33 + 5;
  const root = rootFromTiles(size, tiles);
  for (const index of [0, 2 ** 32, 2 ** 40 - 1, 2 ** 40 + 2 ** 33, size - 1]) {
    verifyInclusion({ leafHash: whole[0]!, index, size, proof: inclusionProof(index, size, tiles), root });
    verifyConsistency({
      size1: index + 1,
      size2: size,
      root1: rootFromTiles(index + 1, tiles),
      root2: root,
      proof: consistencyProof(index + 1, size, tiles),
    });
  }
});
