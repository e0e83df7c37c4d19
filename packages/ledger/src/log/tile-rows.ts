/** Rows of `hash_tile`, and the partial tiles that follow from the rows to their right. */
import {
  concatBytes,
  type KnownNodes,
  leafHash,
  LedgerError,
  type ProofWish,
  TILE_WIDTH,
  tileCount,
  type Tile,
  type TileReader,
  tilesForProofs,
} from '@sealane/core';
import { bytesAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { headOf } from './commits.js';
import { leavesBetween } from './entry-rows.js';
import { type FullTile, RightEdge } from './right-edge.js';

const HASH_BYTES = 32;

/** Writes tiles that have become full. */
export async function insertTiles(transaction: Queries, tiles: readonly FullTile[]): Promise<void> {
  for (const { level, index, root, data } of tiles) {
    await transaction.run('INSERT INTO hash_tile(level, n, root, data) VALUES (?, ?, ?, ?)', level, index, root, data);
  }
}

/** The bytes of a tile, full or partial; `begun`: those that it begins with, where they are known. @throws LedgerError `LEDGER_DAMAGED` rows are missing */
export async function readTile(queries: Queries, tile: Tile, begun: Uint8Array = new Uint8Array()): Promise<Uint8Array> {
  const { level, index, width } = tile;
  const row = await queries.get('SELECT data FROM hash_tile WHERE level = ? AND n = ?', level, index);
  const data =
    row === undefined
      ? concatBytes(begun, ...(await partialHashes(queries, tile, begun.length / HASH_BYTES)))
      : bytesAt(row, 'data').subarray(0, width * HASH_BYTES);
  if (data.length !== width * HASH_BYTES) {
    throw new LedgerError('LEDGER_DAMAGED', `read tile ${level}/${index}: expected ${width} hashes, got ${data.length / HASH_BYTES}`, {
      level,
      index,
    });
  }
  return data;
}

/** Hashes of a tile that is not full yet, from number `from` on: of its leaves, or the roots of the tiles below it. */
async function partialHashes(queries: Queries, { level, index, width }: Tile, from: number): Promise<readonly Uint8Array[]> {
  const [begin, end] = [index * TILE_WIDTH + from, index * TILE_WIDTH + width];
  if (level === 0) return (await leavesBetween(queries, begin, end)).map(leafHash);
  const rows = await queries.all('SELECT root FROM hash_tile WHERE level = ? AND n >= ? AND n < ? ORDER BY n', level - 1, begin, end);
  return rows.map((row) => bytesAt(row, 'root'));
}

/** Reads tiles of committed rows. */
export type ReadTile = (tile: Tile) => Promise<Uint8Array>;

/** What proofs are made from. */
export interface KeptTiles {
  readonly read: ReadTile;
  /** Whether the log has `size` entries. It only grows, so a size that it had needs no look. */
  has(size: number): Promise<boolean>;
  /** Hashes inside tiles that were computed before. */
  nodes(): KnownNodes;
}

/** Tiles that are kept: 8 KiB each. */
const MAX_KEPT = 256;
/** Hashes inside tiles that are kept: some 100 bytes each. */
const MAX_NODES = 20_000;

/** A reader that keeps what it has read: the hashes of a tile never change, and one that was partial has begun as it was. */
export function keptTiles(queries: Queries): KeptTiles {
  const kept = new Map<string, Uint8Array>();
  let seen = 0;
  const has = async (size: number): Promise<boolean> => {
    if (size > seen) seen = (await headOf(queries)).size;
    return size <= seen;
  };
  const read = async (tile: Tile): Promise<Uint8Array> => {
    const name = `${tile.level}/${tile.index}`;
    const known = kept.get(name);
    // the same object for the same tile: what was found out of it is found again
    if (known?.length === tile.width * HASH_BYTES) return known;
    if (known !== undefined && known.length > tile.width * HASH_BYTES) return known.subarray(0, tile.width * HASH_BYTES);
    const data = await readTile(queries, tile, known);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(name, data);
    return data;
  };
  const known: KnownNodes = new Map();
  const nodes = (): KnownNodes => {
    if (known.size > MAX_NODES) known.clear();
    return known;
  };
  return { read, has, nodes };
}

/** Reads the tiles that the wished proofs need. */
export async function tileReaderFor(read: ReadTile, wish: ProofWish): Promise<TileReader> {
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesForProofs(wish)) tiles.set(`${tile.level}/${tile.index}`, await read(tile));
  return ({ level, index }) => tiles.get(`${level}/${index}`) ?? new Uint8Array();
}

/** The right edge of the tree of the first `size` entries. */
export async function loadEdge(queries: Queries, size: number): Promise<RightEdge> {
  const partial: Uint8Array[][] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    const { full, partialWidth } = tileCount(size, level);
    const tile = { level, index: full, width: partialWidth };
    const data = partialWidth === 0 ? new Uint8Array() : await readTile(queries, tile);
    partial.push(Array.from({ length: partialWidth }, (_, at) => data.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)));
  }
  return RightEdge.of(size, partial);
}
