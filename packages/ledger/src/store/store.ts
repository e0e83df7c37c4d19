/**
 * What the ledger asks of a database: plain SQL with `?` parameters, one writer at a time, consistent snapshots.
 *
 * SQLite is behind it today; every method is asynchronous so that PostgreSQL can be tomorrow.
 */

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

/** An open database. Its own queries see committed rows only. */
export interface Store extends Queries {
  /**
   * Runs `body` in one transaction that excludes every other writer, of this process or another. When the promise resolves the
   * rows are on stable storage; when it rejects none of them is there.
   *
   * @throws LedgerError `LEDGER_BUSY`, `LEDGER_READ_ONLY`, `LEDGER_WRITE_FAILED`
   */
  write<T>(body: (transaction: Queries) => Promise<T>): Promise<T>;
  /** Runs `body` on one unchanging state of the database, whatever is appended meanwhile. */
  snapshot<T>(body: (view: Queries) => Promise<T>): Promise<T>;
  /** Empty tables made by the given statements, gone when `body` ends: to recompute something and compare. */
  scratch<T>(schema: readonly string[], body: (tables: Queries) => Promise<T>): Promise<T>;
  /** What the database's own check finds wrong with its pages and indexes; empty when nothing. */
  integrityProblems(): Promise<readonly string[]>;
  /** Tables, indexes and triggers that differ from what the given statements make: name → what is there, undefined when it is missing. */
  schemaDifferences(schema: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
  /** Writes a consistent copy to `file`, which must not exist. */
  copyTo(file: string): Promise<void>;
  close(): Promise<void>;
}
