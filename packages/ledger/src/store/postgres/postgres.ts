/**
 * The ledger on PostgreSQL: several promoters share one database. A write is one transaction that excludes every other writer, under the fence of
 * the publish lock, on a server whose commits are flushed.
 */
import { LedgerError } from '@sealane/core';
import pg from 'pg';
import type { Compaction, Queries, Row, SqlValue, Store } from '../store.js';
import { beginAlone, beginFenced, durabilityProblems } from './begin.js';
import { indexProblems, schemaDifferences, wrongGuards } from './catalog.js';
import { compactTables } from './compact.js';
import { connectionTo, placeName } from './connect-shell.js';
import { copyToSqlite } from './copy.js';
import { asLedgerError } from './errors.js';
import type { PostgresPlace } from '../place.js';
import { POSTGRES } from './schema.js';
import { type Prepared, queriesOn } from './statements.js';
import { expectNoStrangers } from './strangers.js';

/** Connections of one process: its writer, and questions beside it. */
const MAX_CONNECTIONS = 6;

/**
 * Opens the database; it may be empty.
 *
 * @throws LedgerError `LEDGER_UNREACHABLE`, `LEDGER_UNREADABLE` no such database or no right to it; `LEDGER_EXPOSED`, `LEDGER_NOT_DURABLE`
 */
export async function openPostgres(place: PostgresPlace, mode: 'read-only' | 'read-write', fence?: () => number): Promise<Store> {
  const store = new PostgresStore(place, mode, fence);
  try {
    await store.expectUsable();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

class PostgresStore implements Store {
  readonly dialect = POSTGRES;
  readonly #name: string;
  readonly #mode: 'read-only' | 'read-write';
  readonly #fence: (() => number) | undefined;
  readonly #pool: pg.Pool;
  readonly #prepared: Prepared = new Map();
  readonly #reads: Queries;
  /** Settles when the last transaction has ended: transactions of this process queue here, not at the server. */
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(place: PostgresPlace, mode: 'read-only' | 'read-write', fence: (() => number) | undefined) {
    this.#name = placeName(place);
    this.#mode = mode;
    this.#fence = fence;
    this.#pool = new pg.Pool({ ...connectionTo(place, mode === 'read-only' ? 'reads' : 'writes'), max: MAX_CONNECTIONS });
    // a connection that ends while nobody uses it is replaced when it is needed
    this.#pool.on('error', () => undefined);
    this.#reads = queriesOn(this.#pool, this.#prepared);
  }

  /** Writes nothing: an empty transaction meets the lock, the settings and the server as a write would. */
  async expectUsable(): Promise<void> {
    await this.#onConnection('open', async (client) => {
      await expectNoStrangers(client, this.#name);
      if (this.#mode === 'read-write') await this.#transact(client, undefined, () => Promise.resolve());
    });
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
      return await this.#write(body);
    })();
    this.#lastWrite = work;
    return work;
  }

  async #write<T>(body: (transaction: Queries) => Promise<T>): Promise<T> {
    if (this.#mode === 'read-only')
      throw new LedgerError('LEDGER_READ_ONLY', `write ledger ${this.#name}: expected it open for writing, got read-only`);
    return await this.#onConnection('write', (client) =>
      this.#transact(client, this.#fence?.(), () => body(queriesOn(client, this.#prepared))),
    );
  }

  async #transact<T>(client: pg.PoolClient, fence: number | undefined, body: () => Promise<T>): Promise<T> {
    try {
      await (fence === undefined ? beginAlone(client) : beginFenced(client, fence));
      const result = await body();
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new LedgerError('LEDGER_WRITE_FAILED', `write ledger ${this.#name}: expected COMMIT, got ${command}`);
      return result;
    } catch (error) {
      // what cannot be rolled back has no connection any more, and the server does it
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  snapshot<T>(body: (view: Queries) => Promise<T>): Promise<T> {
    return this.#onConnection('read', async (client) => {
      // the state is fixed by the first read
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1');
      try {
        return await body(queriesOn(client, this.#prepared));
      } finally {
        await client.query('ROLLBACK');
      }
    });
  }

  async integrityProblems(): Promise<readonly string[]> {
    return await this.#onConnection('check', async (client) => [...(await durabilityProblems(client)), ...(await indexProblems(client))]);
  }

  async schemaDifferences(): Promise<ReadonlyMap<string, string | undefined>> {
    return await this.#onConnection('check', schemaDifferences);
  }

  async wrongGuards(): Promise<readonly string[]> {
    return await this.#onConnection('check', wrongGuards);
  }

  async copyTo(file: string): Promise<void> {
    await this.snapshot((view) => copyToSqlite(view, file));
  }

  async compact(what: Compaction): Promise<void> {
    await this.#lastWrite.catch(() => undefined);
    await this.#onConnection('compact', (client) => compactTables(client, what));
  }

  async close(): Promise<void> {
    await this.#lastWrite.catch(() => undefined);
    await this.#pool.end();
  }

  /** A connection that failed is not used again. */
  async #onConnection<T>(doing: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const what = `${doing} ledger ${this.#name}`;
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw asLedgerError(error, what);
    });
    // said by the statement that it breaks
    const ignore = (): void => undefined;
    client.on('error', ignore);
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw asLedgerError(error, what);
    } finally {
      client.off('error', ignore);
    }
  }
}
