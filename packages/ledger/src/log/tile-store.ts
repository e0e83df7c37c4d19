/** Tiles out of the store: full ones are rows, partial ones are derived from what lies below them. */
import { leafHash, LedgerError, nodeHash, rootFromTiles, type Tile, TILE_WIDTH, type TileReader } from '@sealane/core';
import type { Store } from '../store/sqlite.js';

interface HashRow {
  readonly hash: Uint8Array;
}

/** Reads tiles of the log as it was at any size up to the present. */
export function tileReader(store: Store): TileReader {
  const full = store.prepare<[number, number], { hashes: Uint8Array }>('SELECT hashes FROM tile WHERE level = ? AND idx = ?');
  const leaves = store.prepare<[number, number], HashRow>('SELECT leaf_hash AS hash FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?');
  const roots = store.prepare<[number, number, number], HashRow>('SELECT root AS hash FROM tile WHERE level = ? AND idx >= ? ORDER BY idx LIMIT ?');
  return (tile) => {
    const { level, index, width } = tile;
    const stored = full.get(level, index);
    if (stored !== undefined) return stored.hashes.subarray(0, width * 32);
    const first = index * TILE_WIDTH;
    const rows = level === 0 ? leaves.all(first, width) : roots.all(level - 1, first, width);
    if (rows.length !== width) throw missing(tile, rows.length);
    return Buffer.concat(rows.map(({ hash }) => hash));
  };
}

/**
 * Adds the leaves `from` … `to` - 1, which are already in `entry`, to the tree: writes each tile that is full now, and the new head.
 * Runs inside the caller's transaction.
 */
export function growTree(store: Store, from: number, to: number): void {
  const read = tileReader(store);
  const insert = store.prepare('INSERT INTO tile (level, idx, hashes, root) VALUES (?, ?, ?, ?)');
  for (let level = 0, span = TILE_WIDTH; Math.floor(to / span) > Math.floor(from / span); level += 1, span *= TILE_WIDTH) {
    for (let index = Math.floor(from / span); index < Math.floor(to / span); index += 1) {
      const hashes = read({ level, index, width: TILE_WIDTH });
      insert.run(level, index, hashes, rootOfFullTile(hashes));
    }
  }
  store.prepare('UPDATE head SET size = ?, root = ?').run(to, rootFromTiles(to, read));
}

/** Root of the whole subtree under a full tile. */
export function rootOfFullTile(hashes: Uint8Array): Uint8Array {
  let row = Array.from({ length: TILE_WIDTH }, (_, n) => hashes.subarray(n * 32, (n + 1) * 32));
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, n) => nodeHash(row[2 * n] ?? leafHash(hashes), row[2 * n + 1] ?? leafHash(hashes)));
  }
  return row[0] ?? leafHash(hashes);
}

function missing({ level, index, width }: Tile, got: number): LedgerError {
  return new LedgerError('LEDGER_UNREADABLE', `read tile ${level}/${index}: expected ${width} hashes, got ${got}`);
}
