/** Proofs out of tiles: which hashes of a tree a proof needs, in which tile each lies, and how to compute it from there. */
import { CoreError } from './errors.js';
import { emptyRoot, nodeHash } from './merkle.js';
import { type Tile, TILE_HEIGHT, TILE_WIDTH } from './tile-path.js';

/** Gives the bytes of a tile: exactly `width` × 32. It may throw when the tile is not there. */
export type TileReader = (tile: Tile) => Uint8Array;

/** Hashes of whole subtrees of one log by `level/index`: they never change, and most proofs share the upper ones. */
export type KnownNodes = Map<string, Uint8Array>;

/** A whole subtree: 2^level leaves, the `index`-th of its level. */
interface Node {
  readonly level: number;
  readonly index: number;
}

const HASH_BYTES = 32;

/** Root of the first `size` entries. */
export function rootFromTiles(size: number, read: TileReader): Uint8Array {
  if (size === 0) return emptyRoot();
  return foldRight(rangeNodes(0, size).map((node) => hashOf(node, size, read)));
}

/** Inclusion proof of entry `index` in the tree of `size` entries (RFC 9162, section 2.1.3.1), leaf upwards. Adds to `known` what it computes. */
export function inclusionProof(index: number, size: number, read: TileReader, known: KnownNodes = new Map()): readonly Uint8Array[] {
  return inclusionRanges(index, 0, size).map((range) => foldRight(rangeNodes(...range).map((node) => knownHash(node, size, read, known))));
}

/**
 * Proof that the lowest tile `index` is in the tree of `size` entries: an inclusion proof (RFC 9162, section 2.1.3.1) in the tree of tiles, whose leaves are the
 * roots of the lowest tiles, of the last one as wide as it is. That tree has the same root.
 */
export function tileInclusionProof(index: number, size: number, read: TileReader, known: KnownNodes = new Map()): readonly Uint8Array[] {
  const ranges = inclusionRanges(index * TILE_WIDTH, 0, size, TILE_WIDTH);
  return ranges.map((range) => foldRight(rangeNodes(...range).map((node) => knownHash(node, size, read, known))));
}

/** Consistency proof between the trees of `size1` ≥ 1 and `size2` entries (RFC 9162, section 2.1.4.1). */
export function consistencyProof(size1: number, size2: number, read: TileReader): readonly Uint8Array[] {
  return consistencyRanges(size1, size2).map((range) => hashOfRange(range, size2, read));
}

/** What a reader wants to prove or compute about a tree of `size` entries. */
export interface ProofWish {
  readonly size: number;
  readonly inclusionOf?: readonly number[];
  readonly consistencyFrom?: readonly number[];
  /** Also the tiles that give the root itself. */
  readonly root?: true;
}

/** The tiles that the wished proofs read, each once. */
export function tilesForProofs(wish: ProofWish): readonly Tile[] {
  const { size } = wish;
  const ranges = [
    ...(wish.inclusionOf ?? []).flatMap((index) => inclusionRanges(index, 0, size)),
    ...(wish.consistencyFrom ?? []).flatMap((size1) => consistencyRanges(size1, size)),
    ...(wish.root === true && size > 0 ? ([[0, size]] as const) : []),
  ];
  const tiles = new Map<string, Tile>();
  for (const node of ranges.flatMap(([begin, end]) => rangeNodes(begin, end))) {
    const { tile } = locate(node, size);
    tiles.set(`${tile.level}/${tile.index}`, tile);
  }
  return [...tiles.values()];
}

type Range = readonly [begin: number, end: number];

/** RFC 9162, section 2.1.3.1: PATH(m, D[n]) as ranges of leaves, leaf upwards; with `width`, upwards from what is at most so wide. */
function inclusionRanges(index: number, begin: number, end: number, width = 1): readonly Range[] {
  if (!Number.isSafeInteger(index) || index < begin || index >= end)
    throw new CoreError('PROOF_LENGTH', `prove inclusion: expected an entry of ${end}, got ${index}`);
  const ranges: Range[] = [];
  let [low, high] = [begin, end];
  while (high - low > width) {
    const middle = low + splitPoint(high - low);
    ranges.push(index < middle ? [middle, high] : [low, middle]);
    [low, high] = index < middle ? [low, middle] : [middle, high];
  }
  return ranges.reverse();
}

/** RFC 9162, section 2.1.4.1: PROOF(m, D[n]) as ranges of leaves. */
function consistencyRanges(size1: number, size2: number): readonly Range[] {
  if (!Number.isSafeInteger(size1) || size1 < 1 || size1 > size2)
    throw new CoreError('PROOF_LENGTH', `prove consistency: expected 1 ≤ size1 ≤ ${size2}, got ${size1}`);
  const ranges: Range[] = [];
  let [low, high] = [0, size2];
  // descend to the subtree in which the first tree ends
  while (high !== size1) {
    const middle = low + splitPoint(high - low);
    ranges.push(size1 <= middle ? [middle, high] : [low, middle]);
    [low, high] = size1 <= middle ? [low, middle] : [middle, high];
  }
  // the first tree's own root is known to the verifier and left out
  if (low > 0) ranges.push([low, high]);
  return ranges.reverse();
}

/** Largest power of two below `count`. */
function splitPoint(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function hashOfRange([begin, end]: Range, size: number, read: TileReader): Uint8Array {
  return foldRight(rangeNodes(begin, end).map((node) => hashOf(node, size, read)));
}

/** Whole subtrees that a range of leaves is made of, left to right. `begin` is a multiple of the largest. */
function rangeNodes(begin: number, end: number): readonly Node[] {
  const nodes: Node[] = [];
  let low = begin;
  while (low < end) {
    let level = 0;
    while (low % 2 ** (level + 1) === 0 && low + 2 ** (level + 1) <= end) level += 1;
    nodes.push({ level, index: low / 2 ** level });
    low += 2 ** level;
  }
  return nodes;
}

/** Root of whole subtrees side by side: the rightmost two first (RFC 9162, section 2.1.1). */
function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** The tile in which a subtree's hash can be computed, and the hashes of the tile below it. */
function locate(node: Node, size: number): { readonly tile: Tile; readonly first: number; readonly count: number } {
  const level = Math.floor(node.level / TILE_HEIGHT);
  const count = 2 ** (node.level % TILE_HEIGHT);
  const first = node.index * count;
  const index = Math.floor(first / TILE_WIDTH);
  const hashesAtLevel = Math.floor(size / TILE_WIDTH ** level);
  const width = Math.min(TILE_WIDTH, hashesAtLevel - index * TILE_WIDTH);
  return { tile: { level, index, width }, first: first - index * TILE_WIDTH, count };
}

function knownHash(node: Node, size: number, read: TileReader, known: KnownNodes): Uint8Array {
  const name = `${node.level}/${node.index}`;
  const before = known.get(name);
  if (before !== undefined) return before;
  const hash = hashOf(node, size, read);
  // what lies in a tile as it is costs nothing
  if (node.level % TILE_HEIGHT > 0) known.set(name, hash);
  return hash;
}

function hashOf(node: Node, size: number, read: TileReader): Uint8Array {
  const { tile, first, count } = locate(node, size);
  const bytes = read(tile);
  if (bytes.length !== tile.width * HASH_BYTES) {
    throw new CoreError(
      'TILE_MALFORMED',
      `read tile ${tile.level}/${tile.index}: expected ${tile.width * HASH_BYTES} bytes, got ${bytes.length}`,
    );
  }
  let hashes = Array.from({ length: count }, (_, offset) =>
    bytes.subarray((first + offset) * HASH_BYTES, (first + offset + 1) * HASH_BYTES),
  );
  while (hashes.length > 1) hashes = pairUp(hashes);
  return new Uint8Array(hashes[0] ?? emptyRoot());
}

function pairUp(hashes: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let index = 0; index + 1 < hashes.length; index += 2) {
    const [left, right] = [hashes[index], hashes[index + 1]];
    if (left !== undefined && right !== undefined) parents.push(nodeHash(left, right));
  }
  return parents;
}
