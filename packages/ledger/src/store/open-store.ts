/** The store of a ledger, opened where it is. */
import { openSqlite } from './sqlite.js';
import type { LedgerPlace } from './place.js';
import type { Store } from './store.js';

/**
 * Opens the store of a ledger. `fence` gives the fence of the publish lock that the caller holds, where promoters share a database.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED`, `LEDGER_UNREACHABLE`, `LEDGER_EXPOSED`, `LEDGER_NOT_DURABLE`
 */
export async function openStore({ file, database }: LedgerPlace, mode: 'read-only' | 'read-write', fence?: () => number): Promise<Store> {
  if (database === undefined) return openSqlite(file, mode);
  // most homes have no database, and need not load its client
  const { openPostgres } = await import('./postgres/postgres.js');
  return await openPostgres(database, mode, fence);
}
