/** A copy of the ledger as one SQLite file: what an auditor takes with him, whatever database it came from. */
import { closeSync, openSync } from 'node:fs';
import { openSqlite } from '../sqlite.js';
import { ALL_TABLES, SQLITE } from '../schema.js';
import { asLedgerError } from '../sqlite-errors.js';
import type { Queries, Row, SqlValue } from '../store.js';
import { rowsOf } from '../table-rows.js';

/** Writes every row of `view` into a new file. @throws LedgerError `LEDGER_UNREADABLE` the file is there already, or cannot be made */
export async function copyToSqlite(view: Queries, file: string): Promise<void> {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    throw asLedgerError(error, `copy the ledger to ${file}`);
  }
  const copy = openSqlite(file, 'read-write');
  try {
    await copy.write(async (transaction) => {
      for (const statement of SQLITE.schema) await transaction.run(statement);
      // behind those that they refer to, and in the order in which the guards let rows in
      for (const table of ALL_TABLES) for await (const row of rowsOf(view, table)) await insert(transaction, table.name, row);
      await transaction.run(SQLITE.markVersion);
    });
  } finally {
    await copy.close();
  }
}

async function insert(transaction: Queries, table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  const sql = `INSERT INTO ${table}(${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  await transaction.run(sql, ...columns.map((column) => row[column] as SqlValue));
}
