/** Roots and proofs for any size up to the head, out of the tiles. */
import { consistencyProof, inclusionProof, LedgerError, rootFromTiles, TILE_WIDTH, tileInclusionProof } from '@sealane/core';
import type { Queries } from '../store/store.js';
import { headOf } from './commits.js';
import { type KeptTiles, readTile, tileReaderFor } from './tile-rows.js';

/** Root of the first `size` entries. @throws LedgerError `PROOF_LENGTH` the log is shorter */
export async function rootAt(queries: Queries, size: number): Promise<Uint8Array> {
  await expectSize(size, async () => size <= (await headOf(queries)).size);
  return await rootOf(queries, size);
}

/** As `rootAt`, of a size that the log has. */
export async function rootOf(queries: Queries, size: number): Promise<Uint8Array> {
  return rootFromTiles(size, await tileReaderFor((tile) => readTile(queries, tile), { size, root: true }));
}

/** Inclusion proof of entry `index` in the first `size` entries, leaf upwards. @throws `PROOF_LENGTH` */
export async function proveInclusion(tiles: KeptTiles, index: number, size: number): Promise<readonly Uint8Array[]> {
  await expectSize(size, tiles.has);
  return inclusionProof(index, size, await tileReaderFor(tiles.read, { size, inclusionOf: [index] }), tiles.nodes());
}

/** The hashes of a lowest tile, and the proof that a tree of tiles with the log's root has it; see `tileInclusionProof`. */
export interface LeafTile {
  /** At most 256 hashes of 32 bytes. */
  readonly data: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** The lowest tile `index` of the first `size` entries: one proof for all entries in it. @throws `PROOF_LENGTH` */
export async function proveLeafTile(tiles: KeptTiles, index: number, size: number): Promise<LeafTile> {
  await expectSize(size, tiles.has);
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const reader = await tileReaderFor(tiles.read, { size, inclusionOf: [index * TILE_WIDTH] });
  return { data: await tiles.read({ level: 0, index, width }), proof: tileInclusionProof(index, size, reader, tiles.nodes()) };
}

/** Consistency proof between the first `size1` and the first `size2` entries; empty for `size1` 0 and for equal sizes. @throws `PROOF_LENGTH` */
export async function proveConsistency(tiles: KeptTiles, size1: number, size2: number): Promise<readonly Uint8Array[]> {
  await expectSize(size2, tiles.has);
  if (size1 > size2) throw new LedgerError('PROOF_LENGTH', `prove consistency: expected sizes that grow, got ${size1} and ${size2}`);
  // the empty tree is a prefix of every tree: tlog-witness wants no hashes for it
  if (size1 === 0 || size1 === size2) return [];
  return consistencyProof(size1, size2, await tileReaderFor(tiles.read, { size: size2, consistencyFrom: [size1] }));
}

async function expectSize(size: number, has: KeptTiles['has']): Promise<void> {
  if (!Number.isSafeInteger(size) || size < 0 || !(await has(size)))
    throw new LedgerError('PROOF_LENGTH', `read the log: expected a size that it has, got ${size}`, { size });
}
