/** A ledger from nothing, and the check that one which is there is ours to read. */
import { LedgerError } from '@sealane/core';
import { integerAt, textAt } from './rows.js';
import { SCHEMA_VERSION } from './schema.js';
import type { Dialect, Queries, Store } from './store.js';

/** Creates the tables in an empty database, brings those of schema 1 up to 2, and leaves others alone, in one transaction. */
export async function initialiseSchema(store: Store, vkey: string): Promise<void> {
  const { dialect } = store;
  if ((await schemaVersion(dialect, store)) >= SCHEMA_VERSION) return;
  await store.write(async (transaction) => {
    // another process may have been first
    const version = await schemaVersion(dialect, transaction);
    if (version >= SCHEMA_VERSION) return;
    for (const statement of version === 0 ? dialect.schema : (dialect.upgrades[version] ?? [])) await transaction.run(statement);
    if (version === 0) await transaction.run('INSERT INTO ledger(id, vkey) VALUES (1, ?)', vkey);
    await transaction.run(dialect.markVersion);
  });
}

/**
 * Refuses a ledger whose rows are no longer guarded: somebody has been at the database, so its rows are to be checked before anything is signed.
 *
 * @throws LedgerError `LEDGER_DAMAGED`
 */
export async function expectGuards(store: Store): Promise<void> {
  const names = (await store.missingGuards()).join(', ');
  if (names === '') return;
  throw new LedgerError('LEDGER_DAMAGED', `open ledger: expected the triggers that keep its rows, got none or others for ${names}`, {
    names,
  });
}

/** The verifier key of a ledger. @throws LedgerError `LEDGER_MISMATCH` another schema version; `LEDGER_DAMAGED` no such row */
export async function readVkey(store: Store): Promise<string> {
  const version = await schemaVersion(store.dialect, store);
  if (version !== SCHEMA_VERSION) {
    throw new LedgerError('LEDGER_MISMATCH', `open ledger: expected schema version ${SCHEMA_VERSION}, got ${version}`, { version });
  }
  const row = await store.get('SELECT vkey FROM ledger');
  if (row === undefined) throw new LedgerError('LEDGER_DAMAGED', 'open ledger: expected the key of its log, got no row');
  return textAt(row, 'vkey');
}

/** 0 = an empty database. */
export async function schemaVersion({ versionQuery }: Dialect, queries: Queries): Promise<number> {
  const row = await queries.get(versionQuery);
  return row === undefined ? 0 : integerAt(row, 'version');
}
