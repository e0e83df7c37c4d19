/**
 * The tree recomputed from the entries, tile by tile, and compared with the stored tiles and the signed commits.
 *
 * When a leaf and its tile differ one of them was edited. A tile whose hashes still fold to its stored root is taken at its word, and the entry is
 * named; else the tile is.
 */
import { emptyRoot, equalBytes, hex, TILE_WIDTH, tileCount } from '@sealane/core';
import type { LogKeys } from '../log/log-keys.js';
import { type FullTile, RightEdge } from '../log/right-edge.js';
import type { ProjectedEntry } from '../projection/project.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { type CheckedCommit, checkCommitRows, lastSignedCommit } from './commit-rows.js';
import { type CheckedEntry, type Elsewheres, type EntriesInCheck, startCheck } from './entry-rows.js';
import type { Problems } from './report.js';

const HASH_BYTES = 32;

/** The recomputed tree. `roots` has those that were wanted, as far as the log reaches; `isSound` = the entries are the ones that were signed. */
export interface Tree {
  readonly size: number;
  readonly root: Uint8Array;
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly isSound: boolean;
}

/** What the walk is told, and what it adds to. `keys` undefined = signatures cannot be judged; `take` gets the entries that are right, in order. */
export interface TreeCheck extends Elsewheres {
  readonly take: (entries: readonly ProjectedEntry[]) => Promise<void>;
  readonly keys: LogKeys | undefined;
  readonly problems: Problems;
  readonly rootsWanted: ReadonlySet<number>;
}

/** State of the walk from the first entry to the last. */
interface Walk {
  readonly check: TreeCheck;
  readonly edge: RightEdge;
  readonly roots: Map<number, Uint8Array>;
  isSound: boolean;
}

/** Walks all entries up to the head that the last signed commit names. */
export async function checkTree(view: Queries, check: TreeCheck): Promise<Tree> {
  const size = await sizeToWalk(view, check.keys);
  const walk: Walk = { check, edge: RightEdge.empty(), roots: new Map(), isSound: true };
  noteRoot(walk);
  let previous = 0;
  const tileAt = (begin: number): Promise<EntriesInCheck> => startCheck(view, check, begin, Math.min(begin + TILE_WIDTH, size));
  let ahead = await tileAt(0);
  for (let begin = 0; begin < size; begin += TILE_WIDTH) {
    const end = Math.min(begin + TILE_WIDTH, size);
    const here = ahead;
    // its signatures are checked while this tile is folded
    ahead = await tileAt(end);
    const entries = await here.checked;
    const commits = await checkCommitRows(view, { begin, end, previous, keys: check.keys, problems: check.problems });
    await checkTileOfEntries(view, walk, { begin, entries, commits });
    // what follows from entries that are not as signed says nothing, and from a log with holes as little
    if (walk.isSound && check.problems.unseen === null)
      await check.take(entries.flatMap(({ index, ...rest }) => ('entry' in rest ? [{ ...rest.entry, index }] : [])));
    previous = commits.at(-1)?.size ?? previous;
  }
  // a size that nobody signed is no reason to walk so far
  await checkCommitRows(view, { begin: size, end: Number.MAX_SAFE_INTEGER, previous, keys: check.keys, problems: check.problems });
  await checkNothingBeyond(view, size, walk);
  return { size, root: walk.edge.root(), roots: walk.roots, isSound: walk.isSound };
}

/** The size of the last commit that the log's key signed; where signatures cannot be judged, as far as there are rows. */
async function sizeToWalk(view: Queries, keys: LogKeys | undefined): Promise<number> {
  if (keys !== undefined) return (await lastSignedCommit(view, keys))?.size ?? 0;
  const row = await view.get('SELECT (SELECT count(*) FROM log_entry) AS entries, coalesce(max(size), 0) AS size FROM log_commit');
  return row === undefined ? 0 : Math.min(integerAt(row, 'size'), integerAt(row, 'entries'));
}

/** One tile's worth of entries: leaves, the stored tile, the commits that end in it. */
async function checkTileOfEntries(
  view: Queries,
  walk: Walk,
  tile: { readonly begin: number; readonly entries: readonly CheckedEntry[]; readonly commits: readonly CheckedCommit[] },
): Promise<void> {
  const { begin, entries, commits } = tile;
  const { problems } = walk.check;
  const before = problems.count;
  for (const entry of entries)
    if ('wrong' in entry) problems.add('entry', entry.index, entry.wrong.expected, entry.wrong.actual);
    else if ('unseen' in entry) problems.miss(entry.unseen);
  const kept = await keptHashes(view, begin, entries);
  const commitAt = new Map(commits.map((commit) => [commit.size, commit]));
  for (const [at, { index, hash }] of entries.entries()) {
    const stored = kept?.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
    if (hash !== undefined && stored !== undefined && !equalBytes(hash, stored)) {
      problems.add('entry', index, `leaf hash ${hex(stored)} as in tile 0/${begin / TILE_WIDTH}`, `leaf hash ${hex(hash)}`);
    }
    if (problems.count > before) walk.isSound = false;
    const full = walk.edge.append(hash ?? stored ?? emptyRoot());
    noteRoot(walk);
    checkRoot(walk, commitAt.get(index + 1));
    for (const above of full) await checkTile(view, walk, above);
  }
}

/** The hashes of a stored tile that differ from those of its entries, and still fold to the tile's root; undefined where the tile has nothing to say. */
async function keptHashes(view: Queries, begin: number, entries: readonly CheckedEntry[]): Promise<Uint8Array | undefined> {
  const stored = await storedTile(view, 0, begin / TILE_WIDTH);
  const isOf = ({ hash }: CheckedEntry, at: number): boolean =>
    hash !== undefined && stored !== undefined && equalBytes(hash, stored.data.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  if (stored === undefined || entries.every(isOf)) return undefined;
  return foldsToRoot(stored) ? stored.data : undefined;
}

function noteRoot({ check, edge, roots }: Walk): void {
  if (check.rootsWanted.has(edge.size)) roots.set(edge.size, edge.root());
}

/** The signed root against the recomputed one. After the first difference all later roots differ too, and say nothing more. */
function checkRoot(walk: Walk, commit: CheckedCommit | undefined): void {
  if (commit === undefined || !commit.isSigned || !walk.isSound) return;
  const actual = walk.edge.root();
  if (equalBytes(actual, commit.root)) return;
  walk.isSound = false;
  const key = commit.size - commit.previous === 1 ? `${commit.previous}` : `${commit.previous}-${commit.size - 1}`;
  walk.check.problems.add(
    'entry',
    key,
    `the entry under root ${hex(commit.root)} of commit ${commit.size}`,
    `one under root ${hex(actual)}`,
  );
}

interface StoredTile {
  readonly root: Uint8Array;
  readonly data: Uint8Array;
}

async function storedTile(view: Queries, level: number, index: number): Promise<StoredTile | undefined> {
  const row = await view.get('SELECT root, data FROM hash_tile WHERE level = ? AND n = ?', level, index);
  return row === undefined ? undefined : { root: bytesAt(row, 'root'), data: bytesAt(row, 'data') };
}

function foldsToRoot({ root, data }: StoredTile): boolean {
  const hashes = Array.from({ length: TILE_WIDTH }, (_, at) => data.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  return data.length === TILE_WIDTH * HASH_BYTES && equalBytes(RightEdge.of(TILE_WIDTH, [hashes]).root(), root);
}

/** A tile that has become full against its row. Where entries are not as signed, tiles that still fold are not to blame. */
async function checkTile(view: Queries, walk: Walk, { level, index, root, data }: FullTile): Promise<void> {
  const { problems } = walk.check;
  const stored = await storedTile(view, level, index);
  const key = `${level}/${index}`;
  if (stored === undefined) problems.add('tile', key, `a tile of root ${hex(root)}`, 'no row');
  else if (!walk.isSound && foldsToRoot(stored)) return;
  else if (!equalBytes(stored.data, data)) problems.add('tile', key, 'the hashes below it', firstDifference(data, stored.data));
  else if (!equalBytes(stored.root, root)) problems.add('tile', key, `root ${hex(root)}`, `root ${hex(stored.root)}`);
}

function firstDifference(expected: Uint8Array, actual: Uint8Array): string {
  const at = Math.floor(expected.findIndex((byte, position) => byte !== actual[position]) / HASH_BYTES);
  return `another hash at position ${at}`;
}

/** Rows that no commit covers, and tiles that no tree of this size has. */
async function checkNothingBeyond(view: Queries, size: number, walk: Walk): Promise<void> {
  const { problems } = walk.check;
  const stray = await view.all(
    'SELECT idx FROM log_entry WHERE idx < 0 OR idx >= ? UNION SELECT idx FROM envelope WHERE idx < 0 OR idx >= ? ORDER BY idx LIMIT 100',
    size,
    size,
  );
  walk.isSound &&= stray.length === 0;
  for (const row of stray) problems.add('entry', integerAt(row, 'idx'), `no entry beyond the last commit, of ${size}`, 'a row');
  for (const row of await view.all('SELECT level, n FROM hash_tile ORDER BY level, n')) {
    const [level, index] = [integerAt(row, 'level'), integerAt(row, 'n')];
    if (level < 0 || index < 0 || index >= tileCount(size, level).full)
      problems.add('tile', `${level}/${index}`, `no such full tile in a log of ${size}`, 'a row');
  }
}
