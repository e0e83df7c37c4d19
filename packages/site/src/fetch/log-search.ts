/** Receipts that went by courier come back as entries of the log on a medium: nobody says where, so all of it that came since is looked through. */
import { type Tile, TILE_WIDTH, tilePath } from '@sealane/core';
import type { SoughtReceipt } from './sync-job.js';
import type { Upstream } from './upstream.js';

const HASH_BYTES = 32;

/** Most tiles of one search, 128 MiB: four million entries since the oldest receipt that waits. */
const MAX_TILES = 16 * 1024;

/** Number of each receipt that is found → its index in the log of `size` entries. */
export async function searchLog(upstream: Upstream, size: number, sought: readonly SoughtReceipt[]): Promise<Map<number, number>> {
  const left = new Map(sought.map(({ seq, leaf }) => [leaf, seq]));
  const found = new Map<number, number>();
  const first = Math.floor(Math.min(...sought.map(({ from }) => from)) / TILE_WIDTH);
  const end = Math.min(Math.ceil(size / TILE_WIDTH), first + MAX_TILES);
  for (let index = first; index < end && left.size > 0; index += 1) {
    const tile = { level: 0, index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) };
    const bytes = await readTile(upstream, tile);
    for (let at = 0; at < tile.width; at += 1) {
      const leaf = Buffer.from(bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)).toString('base64');
      const seq = left.get(leaf);
      if (seq === undefined) continue;
      left.delete(leaf);
      found.set(seq, index * TILE_WIDTH + at);
    }
  }
  return found;
}

/** A tile, or as much of it as is there. */
async function readTile(upstream: Upstream, tile: Tile): Promise<Uint8Array> {
  const full = { ...tile, width: TILE_WIDTH };
  // C2SP tlog-tiles: a partial tile may be gone once it is full, whose first hashes are the same
  const bytes =
    (await upstream.get(`log/${tilePath(tile)}`, tile.width * HASH_BYTES)) ??
    (await upstream.get(`log/${tilePath(full)}`, TILE_WIDTH * HASH_BYTES));
  return bytes ?? new Uint8Array();
}
