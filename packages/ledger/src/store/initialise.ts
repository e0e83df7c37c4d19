/** A ledger file from nothing, and the check that one which is there is ours to read. */
import { LedgerError } from '@sealane/core';
import { PROJECTION_SCHEMA } from '../projection/schema.js';
import { integerAt, textAt } from './rows.js';
import { LOG_SCHEMA, SCHEMA_VERSION } from './schema.js';
import type { Queries, Store } from './store.js';

/** Every statement of the schema. */
export const SCHEMA: readonly string[] = [...LOG_SCHEMA, ...PROJECTION_SCHEMA];

/** Creates the tables in an empty database, brings those of schema 1 up to 2, and leaves others alone, in one transaction. */
export async function initialiseSchema(store: Store, vkey: string): Promise<void> {
  if ((await schemaVersion(store)) >= SCHEMA_VERSION) return;
  await store.write(async (transaction) => {
    // another process may have been first
    const version = await schemaVersion(transaction);
    if (version >= SCHEMA_VERSION) return;
    if (version === 1) {
      await addTimestamps(transaction);
      return;
    }
    for (const statement of SCHEMA) await transaction.run(statement);
    await transaction.run('INSERT INTO ledger(id, vkey) VALUES (1, ?)', vkey);
    await transaction.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

/** Schema 1 knew no keyless signatures. */
async function addTimestamps(transaction: Queries): Promise<void> {
  await transaction.run('ALTER TABLE envelope ADD COLUMN timestamp BLOB');
  await transaction.run('PRAGMA user_version = 2');
}

/**
 * Refuses a ledger whose rows are no longer guarded: somebody has been at the file, so its rows are to be checked before anything is signed.
 *
 * @throws LedgerError `LEDGER_DAMAGED`
 */
export async function expectTriggers(queries: Queries): Promise<void> {
  const rows = await queries.all("SELECT sql FROM sqlite_schema WHERE type = 'trigger'");
  const present = new Set(rows.map((row) => textAt(row, 'sql')));
  const gone = SCHEMA.filter((statement) => statement.startsWith('CREATE TRIGGER') && !present.has(statement));
  if (gone.length === 0) return;
  const names = gone.map((statement) => statement.split(' ')[2] ?? '').join(', ');
  throw new LedgerError('LEDGER_DAMAGED', `open ledger: expected the triggers that keep its rows, got none or others for ${names}`, {
    names,
  });
}

/** The verifier key of a ledger. @throws LedgerError `LEDGER_MISMATCH` another schema version; `LEDGER_DAMAGED` no such row */
export async function readVkey(queries: Queries): Promise<string> {
  const version = await schemaVersion(queries);
  if (version !== SCHEMA_VERSION) {
    throw new LedgerError('LEDGER_MISMATCH', `open ledger: expected schema version ${SCHEMA_VERSION}, got ${version}`, { version });
  }
  const row = await queries.get('SELECT vkey FROM ledger');
  if (row === undefined) throw new LedgerError('LEDGER_DAMAGED', 'open ledger: expected the key of its log, got no row');
  return textAt(row, 'vkey');
}

/** 0 = an empty database. */
export async function schemaVersion(queries: Queries): Promise<number> {
  const row = await queries.get('PRAGMA user_version');
  return row === undefined ? 0 : integerAt(row, 'user_version');
}
