/**
 * The log: appends statements, grows the tree, keeps the checkpoints that witnesses cosigned.
 *
 * One transaction holds entries, tiles, head and projection, and is on disk before `append` answers.
 */
import type { KeyObject } from 'node:crypto';
import {
  consistencyProof,
  type Digest,
  digestFromHex,
  formatCheckpointText,
  hex,
  inclusionProof,
  LedgerError,
  parseCheckpoint,
  rootFromTiles,
  signNote,
} from '@sealane/core';
import { digestBytes, project } from '../projection/project.js';
import { openStore, openStoreForReading, type Store } from '../store/sqlite.js';
import { type Entry, type EntryRow, makeRow, type NewEntry, readRow } from './entry.js';
import { growTree, tileReader } from './tile-store.js';

/** Where a statement stands after `append`. */
export interface Appended {
  readonly index: number;
  readonly statementDigest: Digest;
  /** True when the same statement by the same key was there already. */
  readonly existed: boolean;
}

export interface LedgerOptions {
  readonly file: string;
  /** The log's name, a bare host name. */
  readonly origin: string;
  /** Ed25519 key of the log; without it no checkpoint can be signed. */
  readonly logKey?: KeyObject;
  /** The time now, RFC 3339. */
  readonly now: () => string;
}

/** An open ledger. Methods that read see what was committed before they began. */
export interface Ledger {
  readonly origin: string;
  readonly store: Store;
  append(entries: readonly NewEntry[]): Promise<readonly Appended[]>;
  head(): { readonly size: number; readonly root: Uint8Array };
  rootAt(size: number): Uint8Array;
  signCheckpoint(): string;
  saveCosigned(note: string): void;
  latestCosigned(): string | undefined;
  firstCosignedCovering(index: number): string | undefined;
  inclusionProof(index: number, size: number): readonly Uint8Array[];
  consistencyProof(size1: number, size2: number): readonly Uint8Array[];
  entry(index: number): Entry;
  entries(from: number, to: number): readonly Entry[];
  byStatement(digest: Digest): readonly Entry[];
  close(): void;
}

/**
 * Opens a ledger for appending; makes the file when it is not there.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`
 */
export function openLedger(options: LedgerOptions): Ledger {
  return ledgerOver(openStore(options.file), options);
}

/**
 * Opens an existing ledger for reading, as an auditor does with a copy.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`
 */
export function openLedgerForReading(options: Pick<LedgerOptions, 'file' | 'origin'>): Ledger {
  return ledgerOver(openStoreForReading(options.file), { ...options, now: () => '' });
}

function ledgerOver(store: Store, options: LedgerOptions): Ledger {
  const read = tileReader(store);
  const head = (): { size: number; root: Uint8Array } => headOf(store);
  return {
    origin: options.origin,
    store,
    append: (entries) => Promise.resolve().then(() => store.transaction(() => appendAll(store, entries, options.now())).immediate()),
    head,
    rootAt: (size) => rootFromTiles(size, read),
    signCheckpoint: () => signCheckpoint(store, options),
    saveCosigned: (note) => store.transaction(() => saveCosigned(store, note)).immediate(),
    latestCosigned: () => noteOf(store, 'SELECT note FROM cosigned ORDER BY size DESC, seq DESC LIMIT 1'),
    firstCosignedCovering: (index) => noteOf(store, 'SELECT note FROM cosigned WHERE size > ? ORDER BY size, seq LIMIT 1', index),
    inclusionProof: (index, size) => inclusionProof(index, size, read),
    consistencyProof: (size1, size2) => consistencyProof(size1, size2, read),
    entry: (index) => entryAt(store, index),
    entries: (from, to) => store.prepare<[number, number], EntryRow>('SELECT * FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx').all(from, to).map(readRow),
    byStatement: (digest) => store.prepare<[Buffer], EntryRow>('SELECT * FROM entry WHERE statement_digest = ? ORDER BY idx').all(digestBytes(digest)).map(readRow),
    close: () => store.close(),
  };
}

function appendAll(store: Store, entries: readonly NewEntry[], loggedAt: string): readonly Appended[] {
  const from = headOf(store).size;
  const insert = store.prepare(
    'INSERT INTO entry (idx, statement_digest, key_id, leaf_hash, spki, envelope, logged_at) VALUES (@idx, @statement_digest, @key_id, @leaf_hash, @spki, @envelope, @logged_at)',
  );
  const known = store.prepare<[Uint8Array, Uint8Array], { idx: number }>('SELECT idx FROM entry WHERE statement_digest = ? AND key_id = ?');
  let next = from;
  const appended = entries.map((entry) => {
    const row = makeRow(entry, next, loggedAt);
    const statementDigest = digestFromHex(hex(row.statement_digest));
    const before = known.get(row.statement_digest, row.key_id);
    if (before !== undefined) return { index: before.idx, statementDigest, existed: true };
    insert.run(row);
    project(store, { index: next, keyId: row.key_id, statement: readRow(row).statement });
    next += 1;
    return { index: row.idx, statementDigest, existed: false };
  });
  if (next > from) growTree(store, from, next);
  return appended;
}

function headOf(store: Store): { size: number; root: Uint8Array } {
  const row = store.prepare<[], { size: number; root: Uint8Array }>('SELECT size, root FROM head').get();
  if (row === undefined) throw new LedgerError('LEDGER_UNREADABLE', 'read the head of the log: expected one row, got none');
  return { size: row.size, root: new Uint8Array(row.root) };
}

/**
 * Signs the head. A ledger that is smaller than a checkpoint it saved was restored from an old copy: signing would fork the log.
 *
 * @throws LedgerError `LOG_RESTORED`, `KEY_MALFORMED` no log key
 */
function signCheckpoint(store: Store, { logKey, origin }: LedgerOptions): string {
  if (logKey === undefined) throw new LedgerError('KEY_MALFORMED', `sign a checkpoint of ${origin}: expected the log's key, got none`);
  const { size, root } = headOf(store);
  const witnessed = store.prepare<[], { size: number | null }>('SELECT max(size) AS size FROM cosigned').get()?.size ?? 0;
  if (size < witnessed) {
    throw new LedgerError('LOG_RESTORED', `sign a checkpoint of ${origin}: expected at least the ${witnessed} entries that were witnessed, got ${size}`);
  }
  const text = formatCheckpointText({ origin, size, root });
  return `${text}\n${signNote(text, origin, logKey)}`;
}

/** Keeps a cosigned checkpoint of this log; a further one of the same size is kept beside it (a refresh carries a later time). */
function saveCosigned(store: Store, note: string): void {
  const { size } = parseCheckpoint(note);
  const seq = store.prepare<[], { seq: number }>('SELECT coalesce(max(seq) + 1, 0) AS seq FROM cosigned').get()?.seq ?? 0;
  store.prepare('INSERT INTO cosigned (seq, size, note) VALUES (?, ?, ?)').run(seq, size, note);
}

function noteOf(store: Store, sql: string, ...values: readonly number[]): string | undefined {
  return store.prepare<number[], { note: string }>(sql).get(...values)?.note;
}

function entryAt(store: Store, index: number): Entry {
  const row = store.prepare<[number], EntryRow>('SELECT * FROM entry WHERE idx = ?').get(index);
  if (row === undefined) throw new LedgerError('STATEMENT_UNKNOWN', `read entry ${index} of the ledger: there is no such entry`, { index });
  return readRow(row);
}
