/**
 * The log as static files (C2SP tlog-tiles): entry bundles and hash tiles first, the checkpoint that needs them last.
 *
 * So whoever finds a checkpoint finds all that it commits to, whenever the publisher died.
 */
import { concatBytes, entriesPath, LedgerError, type Tile, TILE_WIDTH, tileCount, tilePath, utf8 } from '@sealane/core';
import { reached } from '../points.js';
import type { Queries } from '../store/store.js';
import { leavesBetween } from './entry-rows.js';
import { readTile } from './tile-rows.js';

/** Writes one file of the tree durably; the path is relative to the log's folder and uses `/`. */
export type WriteFile = (path: string, bytes: Uint8Array) => Promise<void>;

/** The tiles of the tree of `size` entries that a tree of `since` entries lacks: full ones and the partial right edge. */
function tilesBetween(since: number, size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    const { full, partialWidth } = tileCount(size, level);
    for (let index = tileCount(since, level).full; index < full; index += 1) tiles.push({ level, index, width: TILE_WIDTH });
    if (partialWidth > 0) tiles.push({ level, index: full, width: partialWidth });
  }
  return tiles;
}

/** Writes what the tree of `note` needs, then the note itself as `checkpoint`. Files of the first `since` entries are known to be there. */
export async function publishTree(
  queries: Queries,
  write: WriteFile,
  tree: { readonly note: string; readonly size: number; readonly since: number },
): Promise<void> {
  for (const tile of tilesBetween(tree.since, tree.size)) {
    if (tile.level === 0) await write(entriesPath(tile), await entryBundle(queries, tile));
    await write(tilePath(tile), await readTile(queries, tile));
  }
  reached('ledger:tiles-published');
  await write('checkpoint', utf8(tree.note));
  reached('ledger:checkpoint-published');
}

/** An entry bundle: each leaf after its length as a big-endian 16-bit number. */
async function entryBundle(queries: Queries, { index, width }: Tile): Promise<Uint8Array> {
  const leaves = await leavesBetween(queries, index * TILE_WIDTH, index * TILE_WIDTH + width);
  if (leaves.length !== width) {
    throw new LedgerError('LEDGER_DAMAGED', `publish entry bundle ${index}: expected ${width} entries, got ${leaves.length}`);
  }
  return concatBytes(...leaves.flatMap((leaf) => [new Uint8Array([leaf.length >> 8, leaf.length & 0xff]), leaf]));
}
