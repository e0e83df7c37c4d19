/**
 * The tables of the log: what cannot be rebuilt. All of it is append-only; no row is changed.
 *
 * - `ledger`: whose log this is: the verifier key, whose name is the origin.
 * - `log_key`: the keys that replaced it, each row signed by the key before it; see `log/log-keys.ts`.
 * - `log_entry`: the leaf, packed as `log/leaf-row.ts` says since version 8, and the digest of the statement that it is about.
 * - `envelope`: the statement's payload, and the RFC 3161 token of a keyless signature. Signature and key or certificate are in the leaf. Apart from it, so that it can go where
 *   the leaf stays: its rows are the only ones that are ever removed, and only below an `archived` or an `erased` row.
 * - `archive_pack`, `archived`: payloads that were packed and copied to an archive, and which pack each is in; see `archive/move-out.ts`.
 * - `archived_document`: documents of a lane's content that were packed, and which pack each is in; see `archive/documents.ts`.
 * - `erased`: payloads that are gone for good, and the entry that ordered it.
 * - `hash_tile`: full tiles of 256 hashes only; the right edge follows from the rows to its right.
 * - `log_commit`: one row a commit: the head after it. The last row is the head of the log. Both lines are signed by the log's key: the
 *   checkpoint of that size, and the commit record with its time and the number of rows of `cosigned` before it, so that no column can be
 *   edited and no checkpoint cut off unseen.
 * - `cosigned`: checkpoints that came back from witnesses, in the order in which they came, each row sealed by the log's key.
 */

import { PROJECTION_SCHEMA, PROJECTION_TABLES, type TableKey } from '../projection/schema.js';
import type { Dialect } from './store.js';

/** Version of the schema. */
export const SCHEMA_VERSION = 8;
/** The version since which the projection is as it is. */
export const PROJECTION_VERSION = 7;

/** Came with version 4. */
export const LOG_KEY_TABLE =
  'CREATE TABLE log_key(id INTEGER PRIMARY KEY, size INTEGER NOT NULL, cosigned INTEGER NOT NULL, vkey TEXT NOT NULL, replaced_at TEXT NOT NULL, line TEXT NOT NULL) STRICT';

/** A part of the digest finds the row as well as the whole, with half the index. */
export const STATEMENT_INDEX = 'CREATE INDEX log_entry_statement ON log_entry(substr(statement, 1, 6))';

/** Whose log it is, the head after each commit, and what witnesses gave back. */
export const LEDGER_TABLE = 'CREATE TABLE ledger(id INTEGER PRIMARY KEY CHECK(id = 1), vkey TEXT NOT NULL) STRICT';
export const COMMIT_TABLE = `CREATE TABLE log_commit(
    size INTEGER PRIMARY KEY, previous INTEGER NOT NULL UNIQUE CHECK(previous < size), root BLOB NOT NULL CHECK(length(root) = 32),
    cosigned INTEGER NOT NULL, committed_at TEXT NOT NULL, checkpoint_line TEXT NOT NULL, commit_line TEXT NOT NULL) STRICT`;
export const COSIGNED_TABLE: readonly string[] = [
  `CREATE TABLE cosigned(
    seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL, saved_at TEXT NOT NULL, seal_line TEXT NOT NULL) STRICT`,
  'CREATE INDEX cosigned_size ON cosigned(size)',
];

/** Came with version 7. `entries` = SHA-256 of the indexes that the pack holds, see `packedEntries`. */
export const ARCHIVE_TABLES: readonly string[] = [
  `CREATE TABLE archive_pack(
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL CHECK(length(digest) = 32), bytes INTEGER NOT NULL, entries BLOB NOT NULL CHECK(length(entries) = 32),
    size INTEGER NOT NULL, packed_at TEXT NOT NULL, line TEXT NOT NULL) STRICT`,
  `CREATE TABLE archived(
    idx INTEGER NOT NULL REFERENCES log_entry(idx), pack INTEGER NOT NULL REFERENCES archive_pack(id), PRIMARY KEY(idx, pack)) WITHOUT ROWID, STRICT`,
  'CREATE INDEX archived_pack ON archived(pack, idx)',
  // the erasure may come later into a copy that is made of the published log
  `CREATE TABLE erased(
    idx INTEGER PRIMARY KEY REFERENCES log_entry(idx), erasure INTEGER NOT NULL CHECK(erasure > idx), size INTEGER NOT NULL, line TEXT NOT NULL) STRICT`,
];

/** Came with version 8. `n` counts the documents of a pack from 0. */
export const ARCHIVED_DOCUMENT_TABLE: readonly string[] = [
  `CREATE TABLE archived_document(
    pack INTEGER NOT NULL REFERENCES archive_pack(id), n INTEGER NOT NULL, digest BLOB NOT NULL CHECK(length(digest) = 32), PRIMARY KEY(pack, n)) WITHOUT ROWID, STRICT`,
  'CREATE INDEX archived_document_digest ON archived_document(digest, pack)',
];

/** Tables and indexes of the log. */
export const LOG_TABLES_SCHEMA: readonly string[] = [
  LEDGER_TABLE,
  LOG_KEY_TABLE,
  'CREATE TABLE log_entry(idx INTEGER PRIMARY KEY, statement BLOB NOT NULL CHECK(length(statement) = 32), leaf BLOB NOT NULL) STRICT',
  STATEMENT_INDEX,
  ...ARCHIVE_TABLES,
  ...ARCHIVED_DOCUMENT_TABLE,
  'CREATE TABLE envelope(idx INTEGER PRIMARY KEY REFERENCES log_entry(idx), payload BLOB NOT NULL, timestamp BLOB) STRICT',
  `CREATE TABLE hash_tile(
    level INTEGER NOT NULL, n INTEGER NOT NULL, root BLOB NOT NULL CHECK(length(root) = 32), data BLOB NOT NULL CHECK(length(data) = 8192),
    PRIMARY KEY(level, n)) STRICT`,
  COMMIT_TABLE,
  ...COSIGNED_TABLE,
];

/** The truth tables, in the order in which rows refer to one another, and the columns of their primary keys. */
export const LOG_TABLES: readonly TableKey[] = [
  { name: 'ledger', key: ['id'] },
  { name: 'log_key', key: ['id'] },
  { name: 'log_entry', key: ['idx'] },
  { name: 'archive_pack', key: ['id'] },
  { name: 'archived', key: ['idx', 'pack'] },
  { name: 'archived_document', key: ['pack', 'n'] },
  { name: 'erased', key: ['idx'] },
  { name: 'envelope', key: ['idx'] },
  { name: 'hash_tile', key: ['level', 'n'] },
  { name: 'log_commit', key: ['size'] },
  { name: 'cosigned', key: ['seq'] },
];

/** Every table; one comes after those that it refers to. */
export const ALL_TABLES: readonly TableKey[] = [...LOG_TABLES, ...PROJECTION_TABLES];

const IS_ELSEWHERE = (idx: string): string =>
  `(EXISTS (SELECT 1 FROM archived a WHERE a.idx = ${idx}) OR EXISTS (SELECT 1 FROM erased r WHERE r.idx = ${idx}))`;

/** What must not be so of an envelope that is removed: it is nowhere else, or the newest. */
export const KEPT = `OLD.idx >= (SELECT max(idx) FROM log_entry) OR NOT ${IS_ELSEWHERE('OLD.idx')}`;

/** What must not be so of an envelope that is put in not just behind the last one: it is there, was erased, or another that is nowhere would be passed over. */
const OUT_OF_PLACE = `(EXISTS (SELECT 1 FROM envelope WHERE idx = NEW.idx) OR EXISTS (SELECT 1 FROM erased WHERE idx = NEW.idx)
    OR (NEW.idx < coalesce((SELECT max(idx) FROM envelope), 0) AND NOT ${IS_ELSEWHERE('NEW.idx')})
    OR EXISTS (SELECT 1 FROM log_entry e WHERE e.idx > coalesce((SELECT max(idx) FROM envelope), -1) AND e.idx < NEW.idx AND NOT ${IS_ELSEWHERE('e.idx')}))`;

/** Table → what must not be so of a row that is put in: a row goes only behind the last one. */
export const NOT_DENSE: Readonly<Record<string, string>> = {
  ledger: 'EXISTS(SELECT 1 FROM ledger)',
  log_key: 'NEW.id <> coalesce((SELECT max(id) + 1 FROM log_key), 1)',
  log_entry: 'NEW.idx <> coalesce((SELECT max(idx) + 1 FROM log_entry), 0)',
  archive_pack: 'NEW.id <> coalesce((SELECT max(id) + 1 FROM archive_pack), 1)',
  archived: 'EXISTS (SELECT 1 FROM archived WHERE idx = NEW.idx AND pack = NEW.pack)',
  archived_document: 'NEW.n <> coalesce((SELECT max(n) + 1 FROM archived_document WHERE pack = NEW.pack), 0)',
  erased: 'EXISTS (SELECT 1 FROM erased WHERE idx = NEW.idx)',
  envelope: `NEW.idx <> coalesce((SELECT max(idx) + 1 FROM envelope), 0) AND ${OUT_OF_PLACE}`,
  hash_tile: 'NEW.n <> coalesce((SELECT max(n) + 1 FROM hash_tile WHERE level = NEW.level), 0)',
  log_commit: 'NEW.previous <> coalesce((SELECT max(size) FROM log_commit), 0)',
  cosigned: 'NEW.seq <> coalesce((SELECT max(seq) + 1 FROM cosigned), 0)',
};

/** No row is changed or removed. Whoever owns the file can drop these: the signed heads and witnesses are what shows it. */
function frozen({ name: table }: TableKey): readonly string[] {
  const refuse = "BEGIN SELECT RAISE(ABORT, 'append-only'); END";
  return [
    `CREATE TRIGGER ${table}_frozen BEFORE UPDATE ON ${table} ${refuse}`,
    `CREATE TRIGGER ${table}_kept BEFORE DELETE ON ${table} ${table === 'envelope' ? `WHEN ${KEPT} ` : ''}${refuse}`,
  ];
}

/** This also stops INSERT OR REPLACE, which deletes without firing delete triggers. */
function dense([table, wrong]: readonly [table: string, wrong: string]): string {
  return `CREATE TRIGGER ${table}_dense BEFORE INSERT ON ${table} WHEN ${wrong} BEGIN SELECT RAISE(ABORT, 'append-only'); END`;
}

const ADD_LOG_KEY = [LOG_KEY_TABLE, ...frozen({ name: 'log_key', key: ['id'] }), dense(['log_key', NOT_DENSE['log_key'] ?? ''])];

const ARCHIVE_NAMES = ['archive_pack', 'archived', 'erased'];
const ADD_ARCHIVE = [
  ...ARCHIVE_TABLES,
  'DROP TRIGGER envelope_kept',
  'DROP TRIGGER envelope_dense',
  ...frozen({ name: 'envelope', key: ['idx'] }).slice(1),
  ...ARCHIVE_NAMES.flatMap((name) => frozen({ name, key: [] })),
  ...['envelope', ...ARCHIVE_NAMES].map((name) => dense([name, NOT_DENSE[name] ?? ''])),
];

const ADD_DOCUMENTS = [
  ...ARCHIVED_DOCUMENT_TABLE,
  ...frozen({ name: 'archived_document', key: [] }),
  dense(['archived_document', NOT_DENSE['archived_document'] ?? '']),
];

/** The schema in SQLite's words. */
export const SQLITE: Dialect = {
  name: 'sqlite',
  rowsAtOnce: 'powers-of-two',
  schema: [...LOG_TABLES_SCHEMA, ...LOG_TABLES.flatMap(frozen), ...Object.entries(NOT_DENSE).map(dense), ...PROJECTION_SCHEMA],
  projection: PROJECTION_SCHEMA,
  // schema 1 knew no keyless signatures; in 2 the projection kept nothing of inventories, labels and variables; in 3 a log kept its key; in 4 the
  // projection found no statement by its type; in 5 no release by its parts, and no site by what is missing of it; in 6 every payload stayed; in 7 leaves
  // were kept as they are, and those stay so, and no document was archived
  upgrades: {
    1: ['ALTER TABLE envelope ADD COLUMN timestamp BLOB', ...ADD_LOG_KEY, ...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    2: [...ADD_LOG_KEY, ...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    3: [...ADD_LOG_KEY, ...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    4: [...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    5: [...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    6: [...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    7: ADD_DOCUMENTS,
  },
  markVersion: `PRAGMA user_version = ${SCHEMA_VERSION}`,
  versionQuery: 'SELECT user_version AS version FROM pragma_user_version',
};
