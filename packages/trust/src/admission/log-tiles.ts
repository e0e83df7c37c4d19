/** Hash tiles of a lane's log, which nobody believes: what they are good for is shown by the root that they give. */
import {
  type Checkpoint,
  CoreError,
  inclusionProof,
  parseCheckpoint,
  type Tile,
  TILE_WIDTH,
  tilePath,
  TrustError,
  verifyInclusion,
} from '@sealane/core';
import { laneReader, type LaneReader } from './lane-reader.js';
import type { LaneView } from './types.js';

const HASH_BYTES = 32;

/**
 * The bytes of a tile.
 *
 * @throws TrustError `LOG_NOT_INCLUDED` it is not there; `TRUST_TOO_LARGE`
 */
export function readTile(reader: LaneReader, tile: Tile): Uint8Array {
  const sizeBytes = tile.width * HASH_BYTES;
  // C2SP tlog-tiles: a partial tile may be gone once it is full, whose first hashes are the same
  const bytes =
    reader.file(`log/${tilePath(tile)}`, sizeBytes) ??
    reader.file(`log/${tilePath({ ...tile, width: TILE_WIDTH })}`, TILE_WIDTH * HASH_BYTES);
  if (bytes === undefined) {
    throw new TrustError(
      'LOG_NOT_INCLUDED',
      `read log/${tilePath(tile)}: expected the tile that ties this log to the one seen before, got nothing`,
    );
  }
  return bytes.subarray(0, sizeBytes);
}

/** What a log holds, by a checkpoint of it that was verified. */
export interface LogContent extends Pick<Checkpoint, 'origin' | 'size'> {
  /** Whether the tiles of the lane show that the entry at `index` has this leaf hash. A tile that is not there, or another, shows nothing. */
  shows(index: number, leafHash: Uint8Array): boolean;
}

/** The log of `lane` under `verified`: the note of a checkpoint that admission has taken, with its quorum, as the latest of this log. */
export function logContent(lane: LaneView, verified: string): LogContent {
  const { origin, size, root } = parseCheckpoint(verified);
  const reader = laneReader(lane);
  return {
    origin,
    size,
    shows: (index, leafHash) => {
      if (index >= size) return false;
      try {
        const proof = inclusionProof(index, size, (tile) => readTile(reader, tile));
        verifyInclusion({ leafHash, index, size, proof, root });
        return true;
      } catch (error) {
        if (error instanceof CoreError || error instanceof TrustError) return false;
        throw error;
      }
    },
  };
}
