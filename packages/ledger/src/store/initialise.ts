/** A ledger from nothing, and the check that one which is there is ours to read. */
import { LedgerError } from '@sealane/core';
import type { FillIn } from '../archive/absent.js';
import { readLogKeys } from '../log/log-keys.js';
import { replayEntries } from '../projection/rebuild.js';
import { PROJECTION_TABLES } from '../projection/schema.js';
import { integerAt, textAt } from './rows.js';
import { PROJECTION_VERSION, SCHEMA_VERSION } from './schema.js';
import type { Dialect, Queries, Store } from './store.js';

/**
 * Creates the tables in an empty database, brings those of an earlier version up to this one, and leaves others alone, in one transaction.
 *
 * The projection of an earlier version is not changed but made anew: everything in it is in the log.
 */
export async function initialiseSchema(store: Store, vkey: string, fillIn: FillIn): Promise<void> {
  const { dialect } = store;
  if ((await schemaVersion(dialect, store)) >= SCHEMA_VERSION) return;
  await store.write(async (transaction) => {
    // another process may have been first
    const version = await schemaVersion(dialect, transaction);
    const statements = version === 0 ? dialect.schema : dialect.upgrades[version];
    if (version >= SCHEMA_VERSION || statements === undefined) return;
    for (const statement of statements) await transaction.run(statement);
    if (version === 0) await transaction.run('INSERT INTO ledger(id, vkey) VALUES (1, ?)', vkey);
    else if (version < PROJECTION_VERSION) await remakeProjection(dialect, transaction, fillIn);
    await transaction.run(dialect.markVersion);
  });
}

async function remakeProjection({ projection }: Dialect, transaction: Queries, fillIn: FillIn): Promise<void> {
  // a table goes before those that it refers to
  for (const { name } of [...PROJECTION_TABLES].reverse()) await transaction.run(`DROP TABLE IF EXISTS ${name}`);
  for (const statement of projection) await transaction.run(statement);
  const keys = await readLogKeys(transaction, await vkeyOf(transaction));
  await replayEntries(transaction, transaction, { fillIn, keys });
}

/**
 * Refuses a ledger whose rows are no longer guarded: somebody has been at the database, so its rows are to be checked before anything is signed.
 *
 * @throws LedgerError `LEDGER_DAMAGED`
 */
export async function expectGuards(store: Store): Promise<void> {
  const names = (await store.wrongGuards()).join(', ');
  if (names === '') return;
  throw new LedgerError('LEDGER_DAMAGED', `open ledger: expected the triggers that keep its rows, got none or others for ${names}`, {
    names,
  });
}

/** The verifier key of a ledger. @throws LedgerError `LEDGER_MISMATCH` another schema version; `LEDGER_DAMAGED` no such row */
export async function readVkey(store: Store): Promise<string> {
  const version = await schemaVersion(store.dialect, store);
  if (version !== SCHEMA_VERSION) {
    const hint =
      version > SCHEMA_VERSION
        ? 'a later version of sealane wrote it: use that one, or a later one'
        : 'any command that logs brings it up to date, where the key of its log is: sealane publish --refresh --home HOME; of a copy for audits, take a new one after that';
    throw new LedgerError(
      'LEDGER_MISMATCH',
      `open ledger: expected schema version ${SCHEMA_VERSION}, got ${version}`,
      { version },
      { hint },
    );
  }
  return await vkeyOf(store);
}

async function vkeyOf(queries: Queries): Promise<string> {
  const row = await queries.get('SELECT vkey FROM ledger');
  if (row === undefined) throw new LedgerError('LEDGER_DAMAGED', 'open ledger: expected the key of its log, got no row');
  return textAt(row, 'vkey');
}

/** 0 = an empty database. */
export async function schemaVersion({ versionQuery }: Dialect, queries: Queries): Promise<number> {
  const row = await queries.get(versionQuery);
  return row === undefined ? 0 : integerAt(row, 'version');
}
