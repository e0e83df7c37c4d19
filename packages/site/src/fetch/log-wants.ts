/** The log part of a sync: the checkpoint, and the hash tiles that tie it to what this site saw and to what the waybills prove, and that show receipts in it. */
import { LIMITS, parseCheckpoint, SealaneError, TILE_WIDTH, type Tile, tilePath, tilesForProofs } from '@sealane/core';
import { searchLog } from './log-search.js';
import type { Mirror } from './mirror.js';
import type { SyncJob } from './sync-job.js';
import type { Upstream } from './upstream.js';

const HASH_BYTES = 32;
const CHECKPOINT = 'log/checkpoint';

/** Lowest tiles that are fetched for receipts in one sync, 8 KiB each: whoever names places costs no more, and the next sync goes on. */
const MAX_RECEIPT_TILES = 16;

/** Gets checkpoint and tiles; `named` says which. The checkpoint goes into `files`, to be written with the metadata; one that is no checkpoint is left to `apply`. */
export async function fetchLog(
  upstream: Upstream,
  mirror: Mirror,
  job: SyncJob,
  treeSizes: readonly number[],
  files: Map<string, Uint8Array>,
  named: Set<string>,
): Promise<void> {
  const note = await upstream.get(CHECKPOINT, LIMITS.checkpointBytes);
  if (note === undefined) return;
  files.set(CHECKPOINT, note);
  named.add(CHECKPOINT);
  const size = sizeOf(note);
  if (size === undefined) return;
  const consistencyFrom = [job.seenSize, ...treeSizes].filter((from) => from > 0 && from < size);
  for (const tile of tilesForProofs({ size, consistencyFrom, inclusionOf: await receiptsIn(upstream, mirror, job, size), root: true })) {
    named.add(`log/${tilePath(tile)}`);
    await fetchTile(upstream, mirror, tile, job.recheck);
  }
}

/** Where receipts that are still to be shown are said to be in the log of `size` entries, the oldest first. */
async function receiptsIn(upstream: Upstream, mirror: Mirror, { receipts, expiry }: SyncJob, size: number): Promise<readonly number[]> {
  if (receipts === undefined) return [];
  if (expiry === 'medium' && receipts.sought.length > 0) mirror.notePlaces(await searchLog(upstream, size, receipts.sought));
  const places = [...mirror.places()].filter(([seq, index]) => seq > receipts.above && index < size).map(([, index]) => index);
  const tiles = new Set<number>();
  return places.filter((index) => {
    const tile = Math.floor(index / TILE_WIDTH);
    if (tiles.size < MAX_RECEIPT_TILES) tiles.add(tile);
    return tiles.has(tile);
  });
}

function sizeOf(note: Uint8Array): number | undefined {
  try {
    return parseCheckpoint(note).size;
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

async function fetchTile(upstream: Upstream, mirror: Mirror, tile: Tile, recheck: boolean): Promise<void> {
  const path = `log/${tilePath(tile)}`;
  const sizeBytes = tile.width * HASH_BYTES;
  if (!recheck && mirror.read(path, sizeBytes)?.length === sizeBytes) return;
  const bytes = await upstream.get(path, sizeBytes);
  // C2SP tlog-tiles: a partial tile may be gone once it is full, whose first hashes are the same
  const full =
    bytes === undefined && tile.width < TILE_WIDTH
      ? await upstream.get(`log/${tilePath({ ...tile, width: TILE_WIDTH })}`, TILE_WIDTH * HASH_BYTES)
      : bytes;
  if (full !== undefined) mirror.write(path, full.subarray(0, sizeBytes));
}
