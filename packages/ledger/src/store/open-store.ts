/** Where a ledger is, and its store opened. */
import { openSqlite } from './sqlite.js';
import type { PostgresPlace } from './place.js';
import type { Store } from './store.js';

/** Where the rows of a ledger are, and what lies beside them on this host. */
export interface LedgerPlace {
  /** The SQLite file; made when missing and a key is given. The anchor lies beside it as FILE.anchor, whatever holds the rows. */
  readonly file: string;
  /** The PostgreSQL database that holds the rows; without it the file does. */
  readonly database?: PostgresPlace;
}

/**
 * Opens the store of a ledger. `fence` gives the fence of the publish lock that the caller holds, where promoters share a database.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED`, `LEDGER_UNREACHABLE`, `LEDGER_NOT_DURABLE`
 */
export async function openStore({ file, database }: LedgerPlace, mode: 'read-only' | 'read-write', fence?: () => number): Promise<Store> {
  if (database === undefined) return openSqlite(file, mode);
  // most homes have no database, and need not load its client
  const { openPostgres } = await import('./postgres/postgres.js');
  return await openPostgres(database, mode, fence);
}
