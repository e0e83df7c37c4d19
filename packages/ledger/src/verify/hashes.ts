/**
 * The check by hashes alone: every leaf hashed, every tile and signed root made again from them. What a witness needs, and what can run each night.
 *
 * It says that the leaves are those that the log signed and witnesses saw. It does not say that an envelope is there, or what the index tells of it: the full
 * check (`verify.ts`) does.
 */
import { emptyRoot, equalBytes, hex, TILE_WIDTH } from '@sealane/core';
import type { Head } from '../log/commits.js';
import { type LogKeys, readLogKeys } from '../log/log-keys.js';
import { type FullTile, RightEdge } from '../log/right-edge.js';
import { readVkey } from '../store/initialise.js';
import { openStore } from '../store/open-store.js';
import type { LedgerPlace } from '../store/place.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { lastSignedCommit } from './commit-rows.js';
import { checkCosignedRows } from './cosigned-rows.js';
import { CHUNK_LEAVES, type HashedChunk, type HashedTile } from './hash-chunk.js';
import { hashedChunks } from './hash-chunks.js';
import { type LedgerReport, Problems } from './report.js';

/** The answer; `root` is what the leaves hash to. */
export interface HashReport extends LedgerReport {
  readonly origin: string;
}

/**
 * Hashes the whole log as its last signed commit says that it is, on every core. Writes nothing.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED`, `LEDGER_MISMATCH` when it is so far gone that it does not say whose log it is
 */
export async function checkHashes(place: LedgerPlace): Promise<HashReport> {
  const store = await openStore(place, 'read-only');
  try {
    const keys = await readLogKeys(store, await readVkey(store));
    return { origin: keys[0].vkey.name, ...(await store.snapshot((view) => checkView(view, keys, place))) };
  } finally {
    await store.close();
  }
}

/** State of the walk over all tiles. */
interface Walk {
  readonly view: Queries;
  /** The tree over the roots of tiles: what is above the lowest level. */
  readonly above: RightEdge;
  readonly problems: Problems;
  /** Roots at the sizes of cosigned checkpoints. */
  readonly roots: Map<number, Uint8Array>;
  readonly wanted: ReadonlySet<number>;
}

async function checkView(view: Queries, keys: LogKeys, place: LedgerPlace): Promise<LedgerReport> {
  const commit = await lastSignedCommit(view, keys);
  const { size, root } = commit ?? { size: 0, root: emptyRoot() };
  const wanted = new Set((await view.all('SELECT DISTINCT size FROM cosigned')).map((row) => integerAt(row, 'size')));
  const walk: Walk = { view, above: RightEdge.empty(), problems: new Problems(), roots: new Map(), wanted };
  const { problems, roots } = walk;
  const { size: hashed, root: actual } = await hashAll(walk, place, size);
  if (hashed < size) problems.add('entry', hashed, `an entry of the last commit, of ${size}`, 'no row');
  else if (!equalBytes(actual, root)) problems.add('commit', size, `root ${hex(root)}`, `root ${hex(actual)}`);
  const beyond = await view.get('SELECT min(idx) AS idx FROM log_entry WHERE idx >= ?', size);
  if (beyond !== undefined && beyond['idx'] !== null)
    problems.add('entry', integerAt(beyond, 'idx'), `no entry beyond the last commit, of ${size}`, 'a row');
  await checkCosignedRows(view, { keys, problems, tree: { size: hashed, root: actual, roots, isSound: true } });
  return problems.report(hashed, actual);
}

/** Hashes leaves up to `size`, or the first that is not there: that shifts all after it, and nothing that is hashed from there on says anything. */
async function hashAll(walk: Walk, place: LedgerPlace, size: number): Promise<Head> {
  let begin = 0;
  for await (const { tiles, rest } of hashedChunks({ place, view: walk.view, size, sizes: walk.wanted })) {
    for (const tile of tiles) await takeTile(walk, tile);
    const hashed = begin + tiles.length * TILE_WIDTH + rest.count;
    begin += CHUNK_LEAVES;
    if (hashed < Math.min(begin, size) || hashed === size) return lastOf(walk, hashed, rest);
  }
  return { size: 0, root: emptyRoot() };
}

function lastOf({ above, roots }: Walk, size: number, { root, inside }: HashedChunk['rest']): Head {
  for (const [at, part] of inside) roots.set(at, above.root(part));
  return { size, root: above.root(root) };
}

async function takeTile({ view, above, problems, roots, wanted }: Walk, { root, stored, inside }: HashedTile): Promise<void> {
  for (const [size, part] of inside) roots.set(size, above.root(part));
  if (stored !== 'same') addTile(problems, `0/${above.size}`, root, stored === 'none' ? undefined : stored.root);
  for (const tile of above.append(root)) await checkTile(view, tile, problems);
  const size = above.size * TILE_WIDTH;
  if (wanted.has(size)) roots.set(size, above.root());
}

/** `level` is counted from that of the roots of tiles. */
async function checkTile(view: Queries, { level, index, root, data }: FullTile, problems: Problems): Promise<void> {
  const row = await view.get('SELECT root, data FROM hash_tile WHERE level = ? AND n = ?', level + 1, index);
  if (row !== undefined && equalBytes(bytesAt(row, 'data'), data) && equalBytes(bytesAt(row, 'root'), root)) return;
  addTile(problems, `${level + 1}/${index}`, root, row === undefined ? undefined : bytesAt(row, 'root'));
}

function addTile(problems: Problems, key: string, root: Uint8Array, stored: Uint8Array | undefined): void {
  if (stored === undefined) problems.add('tile', key, `a tile of root ${hex(root)}`, 'no row');
  else problems.add('tile', key, `the hashes below it, of root ${hex(root)}`, `others, of root ${hex(stored)}`);
}
