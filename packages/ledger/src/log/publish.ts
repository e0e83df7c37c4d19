/** Writes the log as static files (C2SP tlog-tiles): hash tiles, entry bundles, and last the checkpoint that covers them. */
import { concatBytes, entriesPath, logLeaf, parseCheckpoint, TILE_WIDTH, tileCount, tilePath, utf8 } from '@sealane/core';
import type { Ledger } from './ledger.js';
import { tileReader } from './tile-store.js';

/** Where the files go. Paths are relative to `log/`; `write` is durable when it resolves and replaces what was there. */
export interface LogFolder {
  has(path: string): Promise<boolean>;
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/**
 * Publishes the log up to its latest cosigned checkpoint. Files that are there already are not written again; the checkpoint is
 * written last, so a reader always finds what it promises. Without a cosigned checkpoint nothing is written.
 */
export async function publishLog(ledger: Ledger, folder: LogFolder): Promise<void> {
  const note = ledger.latestCosigned();
  if (note === undefined) return;
  const { size } = parseCheckpoint(note);
  await publishTiles(ledger, size, folder);
  await publishEntries(ledger, size, folder);
  await folder.write('checkpoint', utf8(note));
}

async function publishTiles(ledger: Ledger, size: number, folder: LogFolder): Promise<void> {
  const read = tileReader(ledger.store);
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    for (const { index, width } of widths(size, level)) {
      const path = tilePath({ level, index, width });
      if (!(await folder.has(path))) await folder.write(path, read({ level, index, width }));
    }
  }
}

async function publishEntries(ledger: Ledger, size: number, folder: LogFolder): Promise<void> {
  for (const { index, width } of widths(size, 0)) {
    const path = entriesPath({ index, width });
    if (await folder.has(path)) continue;
    const entries = ledger.entries(index * TILE_WIDTH, index * TILE_WIDTH + width);
    await folder.write(path, concatBytes(...entries.map(({ envelope, spki }) => lengthPrefixed(logLeaf(envelope, spki)))));
  }
}

/** All tiles of a level, full ones and the partial one at the right edge. */
function widths(size: number, level: number): readonly { readonly index: number; readonly width: number }[] {
  const { full, partialWidth } = tileCount(size, level);
  const tiles = Array.from({ length: full }, (_, index) => ({ index, width: TILE_WIDTH }));
  return partialWidth === 0 ? tiles : [...tiles, { index: full, width: partialWidth }];
}

/** tlog-tiles: each entry of a bundle after its length as a big-endian uint16. */
function lengthPrefixed(leaf: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array([leaf.length >> 8, leaf.length & 0xff]), leaf);
}
