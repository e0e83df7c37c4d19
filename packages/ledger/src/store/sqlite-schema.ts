/**
 * What may be in the file of a ledger. Whoever wrote it may want what he put in to run when it is read or written: a view that never ends holds a process that
 * no signal reaches, the module of a virtual table takes bytes of his for its own, and a trigger more swallows rows.
 */
import { LedgerError } from '@sealane/core';
import type Database from 'better-sqlite3';
import { SQLITE } from './schema.js';

/** As SQLite writes down what was created. The type that stands beside it is text that nobody reads. */
const PLAIN = /^CREATE (?:TABLE|INDEX|UNIQUE INDEX|TRIGGER) /;
/** A table with a column that is computed. No table of ours, of any version, has the word. */
const COMPUTED = /^CREATE TABLE .*\bAS\b/is;

/**
 * Refuses a file that has anything but tables of plain columns, indexes and triggers. To be asked before anything else is.
 *
 * @throws LedgerError `LEDGER_DAMAGED`
 */
export function expectPlainSchema(database: Database.Database, file: string): void {
  const strange = statementsIn(database).find(([, sql]) => !PLAIN.test(sql) || COMPUTED.test(sql));
  if (strange === undefined) return;
  const [name, sql] = strange.map((text) => JSON.stringify(text.slice(0, 80)));
  throw new LedgerError('LEDGER_DAMAGED', `open ledger ${file}: expected plain tables, indexes and triggers, got ${name}: ${sql}`, {
    name,
  });
}

/** Names of the triggers that are not there as they were made, and of those that somebody else made. */
export function wrongTriggers(database: Database.Database): readonly string[] {
  const wanted = new Set(SQLITE.schema.filter((sql) => sql.startsWith('CREATE TRIGGER ')));
  const actual = statementsIn(database).filter(([, sql]) => sql.startsWith('CREATE TRIGGER '));
  const present = new Set(actual.map(([, sql]) => sql));
  const gone = [...wanted].filter((sql) => !present.has(sql)).map((sql) => sql.split(' ')[2] ?? '');
  return [...new Set([...gone, ...actual.filter(([, sql]) => !wanted.has(sql)).map(([name]) => name)])];
}

/** Name and statement of everything that was created by one. */
function statementsIn(database: Database.Database): readonly (readonly [name: string, sql: string])[] {
  const rows = database.prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL').raw().all() as unknown[][];
  return rows.map(([name, sql]) => [String(name), String(sql)] as const);
}
