/** What the ledger asks of a database, SQLite or PostgreSQL: plain SQL with `?` parameters, one writer at a time, consistent snapshots. */

/** A value that goes into a statement. Integers only: no column holds a fraction. */
export type SqlValue = string | number | null | Uint8Array;

/** A row as it comes back, to be read with the functions of `rows.ts`. */
export type Row = Readonly<Record<string, unknown>>;

/** Statements on one connection. */
export interface Queries {
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly Row[]>;
  get(sql: string, ...values: readonly SqlValue[]): Promise<Row | undefined>;
  run(sql: string, ...values: readonly SqlValue[]): Promise<void>;
}

/** How many rows go into one statement: any number, or powers of two, so that a connection that keeps its statements prepares few. */
export type RowsAtOnce = 'any' | 'powers-of-two';

/** The words in which databases differ. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  /** How rows are best written: a statement that a server is sent costs more than one that is not prepared. */
  readonly rowsAtOnce: RowsAtOnce;
  /** Makes every table, index and guard in an empty database. */
  readonly schema: readonly string[];
  /** Makes the tables of the projection alone. */
  readonly projection: readonly string[];
  /** An earlier version that can be brought up to this one → what its log tables need for that. */
  readonly upgrades: Readonly<Record<number, readonly string[]>>;
  /** Marks the database as having the schema of this version. */
  readonly markVersion: string;
  /** One row with `version`: that mark, 0 for an empty database. */
  readonly versionQuery: string;
}

/** Why a database is compacted: for the room of what was moved elsewhere, or so that no trace is left of what was erased. */
export type Compaction = 'room' | 'traces';

/** An open database. Its own queries see committed rows only. */
export interface Store extends Queries {
  readonly dialect: Dialect;
  /**
   * Runs `body` in one transaction that excludes every other writer, of this process or another. When the promise resolves the
   * rows are on stable storage; when it rejects none of them is there.
   *
   * When the connection to a server goes in the moment of the commit, the rows may be there although it rejects: whoever appends looks first.
   *
   * @throws LedgerError `LEDGER_BUSY`, `LEDGER_READ_ONLY`, `LEDGER_WRITE_FAILED`, `LEDGER_UNREACHABLE`, `LEDGER_NOT_DURABLE`, `LOCK_LOST`
   */
  write<T>(body: (transaction: Queries) => Promise<T>): Promise<T>;
  /** Runs `body` on one unchanging state of the database, whatever is appended meanwhile. */
  snapshot<T>(body: (view: Queries) => Promise<T>): Promise<T>;
  /** What the database's own check finds wrong with its pages and indexes; empty when nothing. */
  integrityProblems(): Promise<readonly string[]>;
  /** Tables, indexes and triggers that differ from what the schema makes: name → what is there, undefined when it is missing. */
  schemaDifferences(): Promise<ReadonlyMap<string, string | undefined>>;
  /** Names of the triggers that keep rows and are not there as the schema makes them, and of whatever else would run, or hide rows, where they are read or written. */
  wrongGuards(): Promise<readonly string[]>;
  /** Writes a consistent copy to `file`, which must not exist: an SQLite file, whatever the database. */
  copyTo(file: string): Promise<void>;
  /** Gives back the room of rows that were removed; with `traces`, leaves nothing of them in files of its tables. @throws as `write`; `LEDGER_BUSY` somebody reads them still */
  compact(what: Compaction): Promise<void>;
  close(): Promise<void>;
}
