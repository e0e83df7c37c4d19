/** Some whole tiles of the log hashed by themselves, on whichever thread: their roots, and which of them are not stored so. */
import { equalBytes, TILE_WIDTH } from '@sealane/core';
import { leafHashAt } from '../log/leaf-hash.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { TileNodes } from './tile-nodes.js';

/** Leaves of a chunk: sixteen tiles. So many rows are in memory at a time. */
export const CHUNK_LEAVES = 16 * TILE_WIDTH;

/** What is to be hashed. `begin` is a multiple of a tile's width. */
export interface ChunkWish {
  readonly begin: number;
  readonly end: number;
  /** Sizes of the log above `begin` and up to `end` whose roots are wanted, in order. */
  readonly sizes: readonly number[];
}

/** Size of the log → root of what that has of the tile in which it ends. */
export type RootsInside = readonly (readonly [size: number, root: Uint8Array])[];

/** A full tile, as it was hashed. */
export interface HashedTile {
  readonly root: Uint8Array;
  /** The row that there is of it: as it was hashed, another with its root, or none. */
  readonly stored: 'same' | 'none' | { readonly root: Uint8Array };
  readonly inside: RootsInside;
}

/** A chunk, as far as its leaves follow one another without a gap. */
export interface HashedChunk {
  readonly tiles: readonly HashedTile[];
  /** Leaves behind the last full tile, 0 to 255, and their root where there are some. */
  readonly rest: { readonly count: number; readonly root: Uint8Array | undefined; readonly inside: RootsInside };
}

const LEAVES = 'SELECT leaf FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx';
const INDEXES = 'SELECT idx FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx';
const TILES = 'SELECT n, root, data FROM hash_tile WHERE level = 0 AND n >= ? AND n < ? ORDER BY n';

/** Hashes a chunk. @throws LedgerError `LEDGER_DAMAGED` a column is not what it must be, and as any read */
export async function hashChunk(queries: Queries, { begin, end, sizes }: ChunkWish): Promise<HashedChunk> {
  const rows = await queries.all(LEAVES, begin, end);
  const count = rows.length === end - begin ? rows.length : await countWithoutGap(queries, begin, end);
  const stored = await storedTiles(queries, begin / TILE_WIDTH, Math.floor((begin + count) / TILE_WIDTH));
  const nodes = new TileNodes();
  const tiles: HashedTile[] = [];
  for (let at = 0; ; at += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, count - at);
    for (let leaf = 0; leaf < width; leaf += 1) nodes.put(leaf, leafHashAt(rows[at + leaf] ?? {}));
    nodes.fold(width);
    const inside = rootsInside(nodes, sizes, begin + at, width);
    if (width < TILE_WIDTH) return { tiles, rest: { count: width, root: width === 0 ? undefined : nodes.root(width), inside } };
    const root = nodes.root(TILE_WIDTH);
    tiles.push({ root, stored: compared(stored.get((begin + at) / TILE_WIDTH), root, nodes.data), inside });
  }
}

/** How many entries from `begin` on are there before the first that is not. */
async function countWithoutGap(queries: Queries, begin: number, end: number): Promise<number> {
  const rows = await queries.all(INDEXES, begin, end);
  const gap = rows.findIndex((row, at) => integerAt(row, 'idx') !== begin + at);
  return gap === -1 ? rows.length : gap;
}

async function storedTiles(queries: Queries, begin: number, end: number): Promise<ReadonlyMap<number, Row>> {
  if (begin === end) return new Map();
  const rows = await queries.all(TILES, begin, end);
  return new Map(rows.map((row) => [integerAt(row, 'n'), row]));
}

function compared(row: Row | undefined, root: Uint8Array, data: Uint8Array): HashedTile['stored'] {
  if (row === undefined) return 'none';
  if (equalBytes(bytesAt(row, 'data'), data) && equalBytes(bytesAt(row, 'root'), root)) return 'same';
  // copied: what goes to another thread brings the whole memory that it is a part of
  return { root: new Uint8Array(bytesAt(row, 'root')) };
}

/** Of the sizes that end inside this tile; at its end the root of the tile says it. */
function rootsInside(nodes: TileNodes, sizes: readonly number[], begin: number, width: number): RootsInside {
  return sizes
    .filter((size) => size > begin && size <= begin + width && size < begin + TILE_WIDTH)
    .map((size) => [size, nodes.root(size - begin)] as const);
}
