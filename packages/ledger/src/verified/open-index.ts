/** The file of what a promoter has verified of a log in a database: `FILE.verified`, beside the anchor. Whatever is wrong with it, it is made anew. */
import { rmSync } from 'node:fs';
import { formatVkey, LedgerError, type Vkey } from '@sealane/core';
import { integerAt, textAt } from '../store/rows.js';
import { asLedgerError } from '../store/sqlite-errors.js';
import { openSqlite } from '../store/sqlite.js';
import type { Queries, Store } from '../store/store.js';
import { VERIFIED_SCHEMA, VERIFIED_VERSION } from './schema.js';

/** Where it lies for the ledger of `file`. */
export function verifiedFile(file: string): string {
  return `${file}.verified`;
}

/**
 * Opens what was verified of the log that began with the key `first`; empty where there is nothing, or something else.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_WRITE_FAILED` the folder cannot be written
 */
export async function openIndex(ledgerFile: string, first: Vkey): Promise<Store> {
  const [file, vkey] = [verifiedFile(ledgerFile), formatVkey(first)];
  try {
    return await openOrEmpty(file, vkey);
  } catch (error) {
    // no database, or one that was cut: what it held is in the log
    if (!(error instanceof LedgerError) || error.code !== 'LEDGER_DAMAGED') throw error;
    removeIndex(file);
    return await openOrEmpty(file, vkey);
  }
}

function removeIndex(file: string): void {
  try {
    for (const each of [file, `${file}-wal`, `${file}-shm`]) rmSync(each, { force: true });
  } catch (error) {
    throw asLedgerError(error, `remove ${file}`);
  }
}

async function openOrEmpty(file: string, vkey: string): Promise<Store> {
  // what a power cut takes is in the log, and the checkpoints that others have seen are in the anchor
  const index = openSqlite(file, 'read-write', 'whole');
  try {
    if (!(await isOf(index, vkey)))
      await index.write(async (transaction) => {
        // another process may have been first
        if (!(await isOf(transaction, vkey))) await makeEmpty(transaction, vkey);
      });
    return index;
  } catch (error) {
    await index.close();
    throw error;
  }
}

async function isOf(queries: Queries, vkey: string): Promise<boolean> {
  const version = await queries.get('SELECT user_version AS version FROM pragma_user_version');
  // SQLite compares the shape first: a file that was cut is known by its first read
  if (version === undefined || integerAt(version, 'version') !== VERIFIED_VERSION) return false;
  const row = await queries.get('SELECT vkey FROM ledger');
  return row !== undefined && textAt(row, 'vkey') === vkey;
}

/** Within a transaction and not by another file: other processes may have this one open. */
async function makeEmpty(transaction: Queries, vkey: string): Promise<void> {
  // a table goes before those that it refers to
  for (const row of await transaction.all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC"))
    await transaction.run(`DROP TABLE "${textAt(row, 'name')}"`);
  for (const statement of VERIFIED_SCHEMA) await transaction.run(statement);
  await transaction.run('INSERT INTO ledger(id, vkey) VALUES (1, ?)', vkey);
  await transaction.run(`PRAGMA user_version = ${VERIFIED_VERSION}`);
}
