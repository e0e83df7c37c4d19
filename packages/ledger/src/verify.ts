/**
 * Checks a whole ledger file against itself and against a checkpoint kept elsewhere: every leaf from its envelope, every tile from the leaves,
 * the head, each saved checkpoint, the projection. It names each row that is not what it must be.
 */
import {
  type Checkpoint,
  emptyRoot,
  equalBytes,
  hex,
  keyIdOf,
  leafHash,
  logLeaf,
  openNote,
  parseCheckpoint,
  rootFromTiles,
  SealaneError,
  statementDigestOf,
  TILE_WIDTH,
  type TileReader,
  verifyEnvelope,
  type Vkey,
} from '@sealane/core';
import Database from 'better-sqlite3';
import { type EntryRow, readEnvelope, readRow } from './log/entry.js';
import type { Ledger } from './log/ledger.js';
import { rootOfFullTile } from './log/tile-store.js';
import { project } from './projection/project.js';
import { PROJECTION_TABLES, SCHEMA } from './store/schema.js';

/** One row that is wrong: table, key, what it must be, what it is. */
export interface LedgerProblem {
  readonly where: string;
  readonly key: string;
  readonly expected: string;
  readonly actual: string;
}

export interface LedgerVerdict {
  readonly ok: boolean;
  readonly size: number;
  readonly problems: readonly LedgerProblem[];
}

/** More than these say nothing new. */
const MAX_PROBLEMS = 100;

/**
 * Verifies the ledger. `log` is the log's key; `checkpoint` an older signed checkpoint from elsewhere, which the ledger must extend.
 * Does not throw for a damaged ledger: that is a problem in the verdict.
 */
export function verifyLedger(ledger: Ledger, input: { readonly log: Vkey; readonly checkpoint?: string }): LedgerVerdict {
  const rows = ledger.store.prepare<[], EntryRow>('SELECT * FROM entry ORDER BY idx').all();
  const leaves = rows.map(recomputedLeaf);
  const problems = [
    ...rows.flatMap((row, index) => entryProblems(row, index, leaves[index])),
    ...tileProblems(ledger, leaves),
    ...headProblems(ledger, leaves),
    ...checkpointProblems(ledger, leaves, input),
    ...projectionProblems(ledger, rows),
  ];
  return { ok: problems.length === 0, size: rows.length, problems: problems.slice(0, MAX_PROBLEMS) };
}

/** The leaf hash of a row's own envelope and key; undefined when they cannot be read. */
function recomputedLeaf(row: EntryRow): Uint8Array | undefined {
  try {
    return leafHash(logLeaf(readEnvelope(row.envelope), row.spki));
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}

function entryProblems(row: EntryRow, index: number, leaf: Uint8Array | undefined): readonly LedgerProblem[] {
  const problem = (expected: string, actual: string): LedgerProblem => ({ where: 'entry', key: String(row.idx), expected, actual });
  if (row.idx !== index) return [problem(`index ${index}`, `index ${row.idx}`)];
  if (leaf === undefined) return [problem('a readable envelope and key', 'malformed')];
  const envelope = readEnvelope(row.envelope);
  const found: LedgerProblem[] = [];
  if (!equalBytes(leaf, row.leaf_hash)) found.push(problem(`leaf hash ${hex(leaf)}`, hex(row.leaf_hash)));
  if (!verifyEnvelope(envelope, row.spki)) found.push(problem('a signature by its key', 'a wrong signature'));
  if (keyIdOf(row.spki) !== hex(row.key_id)) found.push(problem(`key id ${keyIdOf(row.spki)}`, hex(row.key_id)));
  const digest = statementDigestOf(envelope);
  if (digest !== `sha256:${hex(row.statement_digest)}`) found.push(problem(`statement ${digest}`, `sha256:${hex(row.statement_digest)}`));
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(row.logged_at)) found.push(problem('a time', row.logged_at));
  if (JSON.stringify(envelope) !== row.envelope) found.push(problem('the envelope as it was written', 'another text of it'));
  return found;
}

function tileProblems(ledger: Ledger, leaves: readonly (Uint8Array | undefined)[]): readonly LedgerProblem[] {
  const stored = ledger.store.prepare<[], { level: number; idx: number; hashes: Uint8Array; root: Uint8Array }>('SELECT * FROM tile').all();
  const expected = expectedTiles(leaves);
  const found = stored.flatMap(({ level, idx, hashes, root }) => {
    const key = `${level}/${idx}`;
    const wanted = expected.get(key);
    expected.delete(key);
    if (wanted === undefined) return [{ where: 'tile', key, expected: 'no such tile', actual: 'a tile' }];
    if (!equalBytes(wanted, hashes)) return [{ where: 'tile', key, expected: 'the hashes of its leaves', actual: 'others' }];
    return equalBytes(rootOfFullTile(hashes), root) ? [] : [{ where: 'tile', key, expected: `root ${hex(rootOfFullTile(hashes))}`, actual: hex(root) }];
  });
  return [...found, ...[...expected.keys()].map((key) => ({ where: 'tile', key, expected: 'a full tile', actual: 'nothing' }))];
}

/** Every full tile, recomputed from the leaves. An unreadable leaf counts as zeros: its own problem is reported with its entry. */
function expectedTiles(leaves: readonly (Uint8Array | undefined)[]): Map<string, Uint8Array> {
  const tiles = new Map<string, Uint8Array>();
  let hashes: Uint8Array[] = leaves.map((leaf) => leaf ?? new Uint8Array(32));
  for (let level = 0; hashes.length >= TILE_WIDTH; level += 1) {
    const roots: Uint8Array[] = [];
    for (let index = 0; (index + 1) * TILE_WIDTH <= hashes.length; index += 1) {
      const tile = Buffer.concat(hashes.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH));
      tiles.set(`${level}/${index}`, tile);
      roots.push(rootOfFullTile(tile));
    }
    hashes = roots;
  }
  return tiles;
}

function headProblems(ledger: Ledger, leaves: readonly (Uint8Array | undefined)[]): readonly LedgerProblem[] {
  const { size, root } = ledger.head();
  if (size !== leaves.length) return [{ where: 'head', key: '1', expected: `size ${leaves.length}`, actual: `size ${size}` }];
  const wanted = rootOf(leaves, size);
  return equalBytes(wanted, root) ? [] : [{ where: 'head', key: '1', expected: `root ${hex(wanted)}`, actual: hex(root) }];
}

function checkpointProblems(
  ledger: Ledger,
  leaves: readonly (Uint8Array | undefined)[],
  input: { readonly log: Vkey; readonly checkpoint?: string },
): readonly LedgerProblem[] {
  const saved = ledger.store.prepare<[], { seq: number; size: number; note: string }>('SELECT * FROM cosigned ORDER BY seq').all();
  return [
    ...saved.flatMap(({ seq, size, note }, position) => [
      ...(seq === position ? [] : [{ where: 'cosigned', key: String(seq), expected: `number ${position}`, actual: `number ${seq}` }]),
      ...noteProblems(note, { where: 'cosigned', key: String(seq), size, log: input.log }, leaves),
    ]),
    ...(input.checkpoint === undefined ? [] : noteProblems(input.checkpoint, { where: 'checkpoint', key: 'given', log: input.log }, leaves)),
  ];
}

/** A checkpoint must be signed by the log and have the root of the entries that are there. */
function noteProblems(
  note: string,
  about: { readonly where: string; readonly key: string; readonly size?: number; readonly log: Vkey },
  leaves: readonly (Uint8Array | undefined)[],
): readonly LedgerProblem[] {
  const { where, key, log } = about;
  const checkpoint = signedCheckpoint(note, log);
  if (checkpoint === undefined) return [{ where, key, expected: `a checkpoint signed by ${log.name}`, actual: 'none' }];
  if (about.size !== undefined && about.size !== checkpoint.size) {
    return [{ where, key, expected: `size ${checkpoint.size}`, actual: `size ${about.size}` }];
  }
  if (checkpoint.size > leaves.length) return [{ where, key, expected: `at least ${checkpoint.size} entries`, actual: `${leaves.length} entries` }];
  const wanted = rootOf(leaves, checkpoint.size);
  return equalBytes(wanted, checkpoint.root) ? [] : [{ where, key, expected: `root ${hex(checkpoint.root)} at size ${checkpoint.size}`, actual: hex(wanted) }];
}

function signedCheckpoint(note: string, log: Vkey): Checkpoint | undefined {
  try {
    const checkpoint = parseCheckpoint(note);
    return openNote(note, [log]).verified.length === 1 && checkpoint.origin === log.name ? checkpoint : undefined;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}

function rootOf(leaves: readonly (Uint8Array | undefined)[], size: number): Uint8Array {
  if (size === 0) return emptyRoot();
  const tiles = expectedTiles(leaves.slice(0, size));
  const read: TileReader = ({ level, index, width }) => {
    const full = tiles.get(`${level}/${index}`);
    if (full !== undefined) return full.subarray(0, width * 32);
    const hashes = Array.from({ length: width }, (_, n) => {
      const at = index * TILE_WIDTH + n;
      return level === 0 ? (leaves[at] ?? new Uint8Array(32)) : rootOfFullTile(tiles.get(`${level - 1}/${at}`) ?? new Uint8Array(8192));
    });
    return Buffer.concat(hashes);
  };
  return rootFromTiles(size, read);
}

/** Builds the projection anew beside the file and compares row by row. */
function projectionProblems(ledger: Ledger, rows: readonly EntryRow[]): readonly LedgerProblem[] {
  const fresh = new Database(':memory:');
  try {
    fresh.exec(SCHEMA);
    for (const row of rows) if (recomputedLeaf(row) !== undefined) project(fresh, { index: row.idx, keyId: row.key_id, statement: readRow(row).statement });
    return PROJECTION_TABLES.flatMap((table) => tableProblems(table, ledger.store, fresh));
  } finally {
    fresh.close();
  }
}

function tableProblems(table: string, stored: Database.Database, fresh: Database.Database): readonly LedgerProblem[] {
  const rowsOf = (database: Database.Database): string[] =>
    database.prepare(`SELECT * FROM ${table}`).raw().all().map((row) => JSON.stringify(row, (_, value: unknown) => (Buffer.isBuffer(value) ? hex(value) : value)));
  const wanted = new Set(rowsOf(fresh));
  const actual = new Set(rowsOf(stored));
  return [
    ...[...wanted].filter((row) => !actual.has(row)).map((row) => ({ where: table, key: row.slice(0, 120), expected: 'this row', actual: 'none' })),
    ...[...actual].filter((row) => !wanted.has(row)).map((row) => ({ where: table, key: row.slice(0, 120), expected: 'no such row', actual: 'this row' })),
  ];
}
