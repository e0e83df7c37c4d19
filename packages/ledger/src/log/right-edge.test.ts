import { emptyRoot, hex, leafHash, nodeHash, rootFromTiles, TILE_WIDTH, tileCount, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { RightEdge } from './right-edge.js';

/** RFC 9162, section 2.1.1, word by word: the definition that the quick way must agree with. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length <= 1) return hashes[0] ?? emptyRoot();
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(naiveRoot(hashes.slice(0, split)), naiveRoot(hashes.slice(split)));
}

const leaves = Array.from({ length: 70_000 }, (_, index) => leafHash(utf8(`leaf ${index}`)));

test('has the root of RFC 9162 at every size up to 300', () => {
  const edge = RightEdge.empty();
  for (let size = 0; size < 300; size += 1) {
    expect(hex(edge.root())).toBe(hex(naiveRoot(leaves.slice(0, size))));
    const leaf = leaves[size];
    if (leaf !== undefined) edge.append(leaf);
  }
});

test('fills tiles of 256 on two levels, and a third level starts with the root of the second', () => {
  const edge = RightEdge.empty();
  const full = leaves.flatMap((leaf) => edge.append(leaf));
  expect(full.filter(({ level }) => level === 0)).toHaveLength(273);
  expect(full.filter(({ level }) => level === 1).map(({ index }) => index)).toEqual([0]);
  expect([edge.partial(0).length, edge.partial(1).length, edge.partial(2).length]).toEqual([112, 17, 1]);
  expect(hex(edge.partial(2)[0] ?? new Uint8Array())).toBe(hex(full.find(({ level }) => level === 1)?.root ?? new Uint8Array()));
  const again = RightEdge.of(70_000, [edge.partial(0), edge.partial(1), edge.partial(2)]);
  expect(hex(again.root())).toBe(hex(edge.root()));
});

test('gives the same root as tiles read the way a client reads them', () => {
  const edge = RightEdge.empty();
  const stored = new Map<string, Uint8Array>();
  for (const leaf of leaves.slice(0, 66_000)) {
    for (const { level, index, data } of edge.append(leaf)) stored.set(`${level}/${index}`, data);
  }
  const root = rootFromTiles(edge.size, ({ level, index, width }) => {
    const full = stored.get(`${level}/${index}`);
    if (full !== undefined) return full;
    expect(width).toBe(tileCount(edge.size, level).partialWidth);
    expect(width).toBeLessThan(TILE_WIDTH);
    return Uint8Array.from(Buffer.concat(edge.partial(level)));
  });
  expect(hex(root)).toBe(hex(edge.root()));
});

test('leaves the original alone when a copy is appended to', () => {
  const edge = RightEdge.of(3, [leaves.slice(0, 3)]);
  const before = hex(edge.root());
  edge.copy().append(leaves[3] ?? new Uint8Array());
  expect([edge.size, hex(edge.root())]).toEqual([3, before]);
});
