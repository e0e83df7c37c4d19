/**
 * The log as static files (C2SP tlog-tiles): entry bundles and hash tiles first, the checkpoint that needs them last.
 *
 * So whoever finds a checkpoint finds all that it commits to, whenever the publisher died.
 */
import {
  encodeEntryBundle,
  entriesPath,
  LedgerError,
  parseTilePath,
  SealaneError,
  type Tile,
  TILE_WIDTH,
  tileCount,
  tilePath,
  utf8,
} from '@sealane/core';
import { reached } from '../points.js';
import type { ReadTile } from './tile-rows.js';

/** Writes files of the tree: all are durable when it resolves. Paths are relative to the log's folder and use `/`. */
export type WriteFiles = (files: ReadonlyMap<string, Uint8Array>) => Promise<void>;

/** Files that are handed over at once: of 256 leaves each, some 100 KiB. */
const FILES_AT_ONCE = 64;

/** What the files of a tree are made of. */
export interface TreeRows {
  /** Reads the tiles. */
  readonly readTile: ReadTile;
  /** Leaf bytes of the entries `begin` (inclusive) to `end` (exclusive), as many as there are. */
  readonly leaves: (begin: number, end: number) => Promise<readonly Uint8Array[]>;
}

/**
 * As `read`, which is asked for the leaves of the last bundle that was not full once: what is logged next is published with them. A leaf never changes.
 */
export function keptLeaves(read: TreeRows['leaves']): TreeRows['leaves'] {
  let kept: { readonly begin: number; readonly leaves: readonly Uint8Array[] } = { begin: 0, leaves: [] };
  return async (begin, end) => {
    const known = begin < kept.begin ? [] : kept.leaves.slice(begin - kept.begin, end - kept.begin);
    if (known.length === end - begin) return known;
    const leaves = [...known, ...(await read(begin + known.length, end))];
    if (begin % TILE_WIDTH === 0 && leaves.length < TILE_WIDTH) kept = { begin, leaves };
    return leaves;
  };
}

/** Writes what the tree of `note` needs, then the note itself as `checkpoint`. Files of the first `since` entries are known to be there. */
export async function publishTree(
  rows: TreeRows,
  write: WriteFiles,
  tree: { readonly note: string; readonly size: number; readonly since: number },
): Promise<void> {
  const files = new Map<string, Uint8Array>();
  for (const path of treePaths(tree.since, tree.size)) {
    const bytes = await treeFile(rows, path, tree.size);
    if (bytes !== undefined) files.set(path, bytes);
    if (files.size < FILES_AT_ONCE) continue;
    await write(new Map(files));
    files.clear();
  }
  await write(files);
  reached('ledger:tiles-published');
  await write(new Map([['checkpoint', utf8(tree.note)]]));
  reached('ledger:checkpoint-published');
}

/** Paths of the files that the tree of `size` entries has and one of `since` entries lacks: full ones, and those of the partial right edge. */
export function treePaths(since: number, size: number): readonly string[] {
  return tilesBetween(since, size).flatMap((tile) => (tile.level === 0 ? [entriesPath(tile), tilePath(tile)] : [tilePath(tile)]));
}

/**
 * The bytes of one file of the tree, full or partial; undefined when a tree of `size` entries has and had no such file.
 *
 * @throws LedgerError `LEDGER_DAMAGED` rows are missing
 */
export async function treeFile(rows: TreeRows, path: string, size: number): Promise<Uint8Array | undefined> {
  const named = tileAt(path);
  if (named === undefined) return undefined;
  const [level, { index, width }] = [named.level === 'entries' ? 0 : named.level, named];
  if (index * TILE_WIDTH + width > Math.floor(size / TILE_WIDTH ** level)) return undefined;
  return named.level === 'entries' ? entryBundle(rows, named) : rows.readTile({ level, index, width });
}

function tileAt(path: string): ReturnType<typeof parseTilePath> | undefined {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

function tilesBetween(since: number, size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    const { full, partialWidth } = tileCount(size, level);
    for (let index = tileCount(since, level).full; index < full; index += 1) tiles.push({ level, index, width: TILE_WIDTH });
    if (partialWidth > 0) tiles.push({ level, index: full, width: partialWidth });
  }
  return tiles;
}

async function entryBundle({ leaves: leavesBetween }: TreeRows, { index, width }: Pick<Tile, 'index' | 'width'>): Promise<Uint8Array> {
  const leaves = await leavesBetween(index * TILE_WIDTH, index * TILE_WIDTH + width);
  if (leaves.length !== width) {
    throw new LedgerError('LEDGER_DAMAGED', `read entry bundle ${index}: expected ${width} entries, got ${leaves.length}`);
  }
  return encodeEntryBundle(leaves);
}
