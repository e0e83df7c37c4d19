/**
 * The check by hashes alone: every leaf hashed, every tile and signed root made again from them. What a witness needs, and what can run each night.
 *
 * It says that the leaves are those that the log signed and witnesses saw. It does not say that an envelope is there, or what the index tells of it: the full
 * check (`verify.ts`) does.
 */
import { emptyRoot, equalBytes, hex, leafHash, TILE_WIDTH } from '@sealane/core';
import { leafAt } from '../log/leaf-row.js';
import { type LogKeys, readLogKeys } from '../log/log-keys.js';
import { type FullTile, RightEdge } from '../log/right-edge.js';
import { readVkey } from '../store/initialise.js';
import { openStore } from '../store/open-store.js';
import type { LedgerPlace } from '../store/place.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { lastSignedCommit } from './commit-rows.js';
import { checkCosignedRows } from './cosigned-rows.js';
import { type LedgerReport, Problems } from './report.js';

/** Leaves that are read at a time: eight tiles. */
const PAGE = 8 * TILE_WIDTH;

/** The answer; `root` is what the leaves hash to. */
export interface HashReport extends LedgerReport {
  readonly origin: string;
}

/**
 * Hashes the whole log as its last signed commit says that it is. Writes nothing.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED`, `LEDGER_MISMATCH` when it is so far gone that it does not say whose log it is
 */
export async function checkHashes(place: LedgerPlace): Promise<HashReport> {
  const store = await openStore(place, 'read-only');
  try {
    const keys = await readLogKeys(store, await readVkey(store));
    return { origin: keys[0].vkey.name, ...(await store.snapshot((view) => checkView(view, keys))) };
  } finally {
    await store.close();
  }
}

/** State of the walk over all leaves. */
interface Walk {
  readonly view: Queries;
  readonly edge: RightEdge;
  readonly problems: Problems;
  /** Roots at the sizes of cosigned checkpoints. */
  readonly roots: Map<number, Uint8Array>;
  readonly wanted: ReadonlySet<number>;
}

async function checkView(view: Queries, keys: LogKeys): Promise<LedgerReport> {
  const commit = await lastSignedCommit(view, keys);
  const { size, root } = commit ?? { size: 0, root: emptyRoot() };
  const sizes = (await view.all('SELECT DISTINCT size FROM cosigned')).map((row) => integerAt(row, 'size'));
  const walk: Walk = { view, edge: RightEdge.empty(), problems: new Problems(), roots: new Map(), wanted: new Set(sizes) };
  const { problems, edge, roots } = walk;
  // a leaf that is not there shifts all after it: nothing that is hashed from there on says anything
  for (let begin = 0; begin < size && edge.size === begin; begin += PAGE) await hashPage(walk, begin, Math.min(begin + PAGE, size));
  const actual = edge.root();
  if (edge.size < size) problems.add('entry', edge.size, `an entry of the last commit, of ${size}`, 'no row');
  else if (!equalBytes(actual, root)) problems.add('commit', size, `root ${hex(root)}`, `root ${hex(actual)}`);
  const beyond = await view.get('SELECT min(idx) AS idx FROM log_entry WHERE idx >= ?', size);
  if (beyond !== undefined && beyond['idx'] !== null)
    problems.add('entry', integerAt(beyond, 'idx'), `no entry beyond the last commit, of ${size}`, 'a row');
  await checkCosignedRows(view, { keys, problems, tree: { size: edge.size, root: actual, roots, isSound: true } });
  return problems.report(edge.size, actual);
}

async function hashPage(walk: Walk, begin: number, end: number): Promise<void> {
  const { view, edge, roots, wanted } = walk;
  for (const row of await view.all('SELECT idx, leaf FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx', begin, end)) {
    if (integerAt(row, 'idx') !== edge.size) return;
    for (const tile of edge.append(leafHash(leafAt(row)))) await checkTile(walk, tile);
    if (wanted.has(edge.size)) roots.set(edge.size, edge.root());
  }
}

async function checkTile({ view, problems }: Walk, { level, index, root, data }: FullTile): Promise<void> {
  const row = await view.get('SELECT root, data FROM hash_tile WHERE level = ? AND n = ?', level, index);
  const key = `${level}/${index}`;
  if (row === undefined) problems.add('tile', key, `a tile of root ${hex(root)}`, 'no row');
  else if (!equalBytes(bytesAt(row, 'data'), data) || !equalBytes(bytesAt(row, 'root'), root))
    problems.add('tile', key, `the hashes below it, of root ${hex(root)}`, `others, of root ${hex(bytesAt(row, 'root'))}`);
}
