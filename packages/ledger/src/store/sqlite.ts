/**
 * The ledger on SQLite: write-ahead log, `synchronous=FULL`, one connection that writes and one that reads.
 *
 * better-sqlite3 runs synchronously, so a statement's promise is resolved when it is returned: a transaction whose body waits for nothing
 * but its own statements holds the write lock for no longer than its work takes.
 */
import { closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { LedgerError } from '@sealane/core';
import Database from 'better-sqlite3';
import { anchorOf } from './place.js';
import { textAt } from './rows.js';
import { SQLITE } from './schema.js';
import { asLedgerError } from './sqlite-errors.js';
import { expectPlainSchema, wrongTriggers } from './sqlite-schema.js';
import { begin, emptyLog } from './sqlite-wait.js';
import type { Queries, Row, SqlValue, Store } from './store.js';

/** How long opening waits for another process that is just creating or recovering the file. */
const OPEN_WAIT_MS = 5_000;
/** Past this the write-ahead log is moved into the file before the next commit: errors of that step must be seen, so it is ours to do. */
const WAL_LIMIT_BYTES = 8 * 1024 * 1024;
/** `PRAGMA synchronous`: 2 is FULL. better-sqlite3 is built with NORMAL for write-ahead logs, which may lose what was acknowledged. */
const SYNCHRONOUS_FULL = 2;

/** NORMAL: what was committed last may be gone after a power cut, and what is there is whole. */
const SYNCHRONOUS_NORMAL = 1;

/** `full`: what is committed is on stable storage. `whole`: for what can be made anew; a power cut may take the last commits. */
type Durability = 'full' | 'whole';

/** Opens `file`, creating it (mode 0600) when it is missing and `mode` says so. @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED` */
export function openSqlite(file: string, mode: 'read-only' | 'read-write', durability: Durability = 'full'): Store {
  try {
    if (mode === 'read-write') createPrivately(file);
    const writer = mode === 'read-write' ? openWriter(file, durability) : undefined;
    return new SqliteStore(file, openReader(file), writer);
  } catch (error) {
    throw asLedgerError(error, `open ledger ${file}`);
  }
}

/** The file and its name are on stable storage, readable by its owner only, before anything is acknowledged in it. */
function createPrivately(file: string): void {
  if (existsSync(file)) return;
  // an empty ledger in the place of one that is gone would say that nothing was ever logged
  if (existsSync(anchorOf(file))) {
    throw new LedgerError('LOG_RESTORED', `open ledger ${file}: expected the ledger that ${anchorOf(file)} is of, got no file`);
  }
  closeSync(openSync(file, 'a', 0o600));
  const folder = openSync(path.dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function openReader(file: string): Database.Database {
  const reader = new Database(file, { readonly: true, fileMustExist: true, timeout: OPEN_WAIT_MS });
  // a file that is no database fails here, not in the middle of an answer
  distrust(reader, file);
  return reader;
}

/** Nothing that lies in the file runs: whoever wrote it is not known (SQLite, "Defense Against The Dark Arts"). */
function distrust(database: Database.Database, file: string): void {
  try {
    database.pragma('trusted_schema = OFF');
    database.pragma('cell_size_check = ON');
    expectPlainSchema(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
}

function openWriter(file: string, durability: Durability): Database.Database {
  const synchronous = durability === 'full' ? SYNCHRONOUS_FULL : SYNCHRONOUS_NORMAL;
  const writer = new Database(file, { timeout: OPEN_WAIT_MS });
  distrust(writer, file);
  writer.pragma('journal_mode = WAL');
  writer.pragma(`synchronous = ${synchronous}`);
  writer.pragma('foreign_keys = ON');
  // what is removed is written over
  writer.pragma('secure_delete = ON');
  // SQLite swallows the errors of an automatic checkpoint
  writer.pragma('wal_autocheckpoint = 0');
  // a log that was moved begins anew and is cut: one that stayed long would be moved before every commit from then on
  writer.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES / 2}`);
  expectPragma(writer, 'journal_mode', 'wal');
  expectPragma(writer, 'synchronous', synchronous);
  expectPragma(writer, 'foreign_keys', 1);
  // waiting for the lock is done without blocking this process: see `begin`
  writer.pragma('busy_timeout = 0');
  return writer;
}

function expectPragma(database: Database.Database, name: string, expected: string | number): void {
  const actual = database.pragma(name, { simple: true });
  if (actual !== expected) {
    throw new LedgerError('LEDGER_UNREADABLE', `open ledger: expected ${name} ${expected}, got ${String(actual)}`);
  }
}

class SqliteStore implements Store {
  readonly dialect = SQLITE;
  readonly #file: string;
  readonly #writer: Database.Database | undefined;
  readonly #reader: Database.Database;
  readonly #reads: Queries;
  readonly #writes: Queries | undefined;
  /** Settles when the last transaction has ended: transactions of this process queue here, not at the file's lock. */
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(file: string, reader: Database.Database, writer: Database.Database | undefined) {
    this.#file = file;
    this.#reader = reader;
    this.#reads = connection(reader);
    this.#writer = writer;
    this.#writes = writer === undefined ? undefined : connection(writer);
  }

  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#reads.all(sql, ...values);
  }

  get(sql: string, ...values: readonly SqlValue[]): Promise<Row | undefined> {
    return this.#reads.get(sql, ...values);
  }

  run(sql: string): Promise<void> {
    return Promise.reject(new LedgerError('LEDGER_READ_ONLY', `write the ledger: expected a transaction around ${sql.slice(0, 40)}`));
  }

  async write<T>(body: (transaction: Queries) => Promise<T>): Promise<T> {
    const before = this.#lastWrite;
    const work = (async () => {
      // whoever came before reports its own failure to its own caller
      await before.catch(() => undefined);
      return this.#transact(body);
    })();
    this.#lastWrite = work;
    return work;
  }

  async #transact<T>(body: (transaction: Queries) => Promise<T>): Promise<T> {
    const [writer, writes] = [this.#writer, this.#writes];
    if (writer === undefined || writes === undefined) {
      throw new LedgerError('LEDGER_READ_ONLY', `write ledger ${this.#file}: expected it open for writing, got read-only`);
    }
    try {
      this.#emptyLongLog(writer);
      await begin(writer);
      const result = await body(writes);
      writer.exec('COMMIT');
      return result;
    } catch (error) {
      // some failures of COMMIT have rolled back already
      if (writer.inTransaction) writer.exec('ROLLBACK');
      throw asLedgerError(error, `write ledger ${this.#file}`);
    }
  }

  #emptyLongLog(writer: Database.Database): void {
    const log = statSync(`${this.#file}-wal`, { throwIfNoEntry: false });
    if (log === undefined) throw logRemoved(this.#file);
    // PASSIVE waits for nobody; what a reader still needs stays for the next time
    if (log.size > WAL_LIMIT_BYTES) writer.pragma('wal_checkpoint(PASSIVE)');
  }

  async snapshot<T>(body: (view: Queries) => Promise<T>): Promise<T> {
    const view = openReader(this.#file);
    try {
      view.exec('BEGIN');
      // the state is fixed by the first read
      view.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
      return await body(connection(view));
    } catch (error) {
      throw asLedgerError(error, `read ledger ${this.#file}`);
    } finally {
      view.close();
    }
  }

  integrityProblems(): Promise<readonly string[]> {
    return settle(() => {
      const rows = this.#reader.prepare('PRAGMA integrity_check(20)').pluck().all();
      return rows.map(String).filter((text) => text !== 'ok');
    }, `check ledger ${this.#file}`);
  }

  schemaDifferences(): Promise<ReadonlyMap<string, string | undefined>> {
    return withScratch(SQLITE.schema, async (expected) => {
      const [wanted, actual] = [await schemaObjects(expected), await schemaObjects(this.#reads)];
      const names = [...new Set([...wanted.keys(), ...actual.keys()])].filter((name) => wanted.get(name) !== actual.get(name));
      return new Map(names.map((name) => [name, actual.get(name)]));
    });
  }

  wrongGuards(): Promise<readonly string[]> {
    return settle(() => wrongTriggers(this.#reader), `check ledger ${this.#file}`);
  }

  copyTo(file: string): Promise<void> {
    return settle(() => {
      this.#reader.prepare('VACUUM INTO ?').run(file);
    }, `copy ledger ${this.#file} to ${file}`);
  }

  /** Leaves no trace in any case: the file is written anew. */
  async compact(): Promise<void> {
    await this.#lastWrite.catch(() => undefined);
    const writer = this.#writer;
    if (writer === undefined) throw new LedgerError('LEDGER_READ_ONLY', `compact ledger ${this.#file}: expected it open for writing`);
    try {
      writer.exec('VACUUM');
      // the file and the log of writes have the pages as they were until nobody reads them any more
      await emptyLog(writer, this.#file);
    } catch (error) {
      throw asLedgerError(error, `compact ledger ${this.#file}`);
    }
  }

  async close(): Promise<void> {
    await this.#lastWrite.catch(() => undefined);
    this.#reader.close();
    this.#writer?.close();
  }
}

/** What is written to a file without a name is gone with the process, and whoever opens the ledger meanwhile sees none of it. */
function logRemoved(file: string): LedgerError {
  const message = `write ledger ${file}: expected ${file}-wal, got none: somebody removed it while the ledger was open`;
  const hint = 'end every process that has the ledger open, then see what is there: sealane ledger fsck';
  return new LedgerError('LEDGER_WRITE_FAILED', message, { file }, { hint });
}

/** Empty tables made by the given statements, gone when `body` ends: to recompute something and compare. */
export async function withScratch<T>(schema: readonly string[], body: (tables: Queries) => Promise<T>): Promise<T> {
  // an empty name is a private database on temporary storage: it may outgrow memory
  const temporary = new Database('');
  try {
    temporary.exec(schema.join(';'));
    temporary.exec('BEGIN');
    return await body(connection(temporary));
  } finally {
    temporary.close();
  }
}

/** Name → statement of everything that was created by a statement. */
async function schemaObjects(queries: Queries): Promise<ReadonlyMap<string, string>> {
  const rows = await queries.all('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name');
  return new Map(rows.map((row) => [textAt(row, 'name'), textAt(row, 'sql')]));
}

/** Statements of one connection, each prepared once. */
function connection(database: Database.Database): Queries {
  const prepared = new Map<string, Database.Statement<SqlValue[]>>();
  const statement = (sql: string): Database.Statement<SqlValue[]> => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const fresh = database.prepare<SqlValue[]>(sql);
    prepared.set(sql, fresh);
    return fresh;
  };
  return {
    all: (sql, ...values) => settle(() => statement(sql).all(...values) as readonly Row[], 'read the ledger'),
    get: (sql, ...values) => settle(() => statement(sql).get(...values) as Row | undefined, 'read the ledger'),
    run: (sql, ...values) =>
      settle(() => {
        statement(sql).run(...values);
      }, 'write the ledger'),
  };
}

/** Runs synchronous work, with its failure as a rejection like any other. */
// eslint-disable-next-line @typescript-eslint/require-await -- async is what makes the rejection
async function settle<T>(work: () => T, doing: string): Promise<T> {
  try {
    return work();
  } catch (error) {
    throw asLedgerError(error, doing);
  }
}
