/**
 * The tables of the log: what cannot be rebuilt. All of it is append-only; there is no mutable row.
 *
 * - `ledger`: whose log this is: the verifier key, whose name is the origin.
 * - `log_entry`: leaf bytes, and the digest of the statement that the leaf is about.
 * - `envelope`: the statement's payload, and the RFC 3161 token of a keyless signature. Signature and key or certificate are in the leaf. Apart from it, so that a payload can be erased one day.
 * - `hash_tile`: full tiles of 256 hashes only; the right edge follows from the rows to its right.
 * - `log_commit`: one row a commit: the head after it. The last row is the head of the log. Both lines are signed by the log's key: the
 *   checkpoint of that size, and the commit record with its time and the number of rows of `cosigned` before it, so that no column can be
 *   edited and no checkpoint cut off unseen.
 * - `cosigned`: checkpoints that came back from witnesses, in the order in which they came, each row sealed by the log's key.
 */

/** Version of the schema, kept in `PRAGMA user_version`. */
export const SCHEMA_VERSION = 2;

const TABLES = [
  'CREATE TABLE ledger(id INTEGER PRIMARY KEY CHECK(id = 1), vkey TEXT NOT NULL) STRICT',
  'CREATE TABLE log_entry(idx INTEGER PRIMARY KEY, statement BLOB NOT NULL CHECK(length(statement) = 32), leaf BLOB NOT NULL) STRICT',
  // a part of the digest finds the row as well as the whole, with half the index
  'CREATE INDEX log_entry_statement ON log_entry(substr(statement, 1, 6))',
  'CREATE TABLE envelope(idx INTEGER PRIMARY KEY REFERENCES log_entry(idx), payload BLOB NOT NULL, timestamp BLOB) STRICT',
  `CREATE TABLE hash_tile(
    level INTEGER NOT NULL, n INTEGER NOT NULL, root BLOB NOT NULL CHECK(length(root) = 32), data BLOB NOT NULL CHECK(length(data) = 8192),
    PRIMARY KEY(level, n)) STRICT`,
  `CREATE TABLE log_commit(
    size INTEGER PRIMARY KEY, previous INTEGER NOT NULL UNIQUE CHECK(previous < size), root BLOB NOT NULL CHECK(length(root) = 32),
    cosigned INTEGER NOT NULL, committed_at TEXT NOT NULL, checkpoint_line TEXT NOT NULL, commit_line TEXT NOT NULL) STRICT`,
  `CREATE TABLE cosigned(
    seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL, saved_at TEXT NOT NULL, seal_line TEXT NOT NULL) STRICT`,
  'CREATE INDEX cosigned_size ON cosigned(size)',
];

/** The truth tables, in the order in which rows refer to one another. */
const LOG_TABLES = ['ledger', 'log_entry', 'envelope', 'hash_tile', 'log_commit', 'cosigned'] as const;

/** No row is changed or removed. Whoever owns the file can drop these: the signed heads and witnesses are what shows it. */
function frozen(table: string): readonly string[] {
  const refuse = "BEGIN SELECT RAISE(ABORT, 'append-only'); END";
  return [
    `CREATE TRIGGER ${table}_frozen BEFORE UPDATE ON ${table} ${refuse}`,
    `CREATE TRIGGER ${table}_kept BEFORE DELETE ON ${table} ${refuse}`,
  ];
}

/** A row goes only behind the last one. This also stops INSERT OR REPLACE, which deletes without firing delete triggers. */
function dense(table: string, wanted: string): string {
  return `CREATE TRIGGER ${table}_dense BEFORE INSERT ON ${table} WHEN ${wanted} BEGIN SELECT RAISE(ABORT, 'append-only'); END`;
}

/** The schema of the log, statement by statement. */
export const LOG_SCHEMA: readonly string[] = [
  ...TABLES,
  ...LOG_TABLES.flatMap(frozen),
  dense('ledger', 'EXISTS(SELECT 1 FROM ledger)'),
  dense('log_entry', 'NEW.idx <> coalesce((SELECT max(idx) + 1 FROM log_entry), 0)'),
  dense('envelope', 'NEW.idx <> coalesce((SELECT max(idx) + 1 FROM envelope), 0)'),
  dense('hash_tile', 'NEW.n <> coalesce((SELECT max(n) + 1 FROM hash_tile WHERE level = NEW.level), 0)'),
  dense('log_commit', 'NEW.previous <> coalesce((SELECT max(size) FROM log_commit), 0)'),
  dense('cosigned', 'NEW.seq <> coalesce((SELECT max(seq) + 1 FROM cosigned), 0)'),
];
