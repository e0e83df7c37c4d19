/** The ledger's SQL in PostgreSQL's words: numbered parameters with their types, and rows with JavaScript's numbers. */
import pg from 'pg';
import type { Queries, Row, SqlValue } from '../store.js';
import { asLedgerError } from './errors.js';

/** Parsers of column types: the client gives a `bigint` as text. An integer past 2^53 is no safe one, and refused where it is read. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** What runs statements: one connection, or a pool of them. */
type Runner = Pick<pg.Pool | pg.PoolClient, 'query'>;

/** Statements by their text and the kinds of their values: prepared once on each connection, under one name. */
export type Prepared = Map<string, { readonly name?: string; readonly text: string }>;

/** With more values a statement is one of many that differ in which of them are missing: it is not kept. */
const MAX_PREPARED_VALUES = 32;

/** Statements on a connection. */
export function queriesOn(runner: Runner, prepared: Prepared): Queries {
  const run = async (sql: string, values: readonly SqlValue[], doing: string): Promise<readonly Row[]> => {
    try {
      const { rows } = await runner.query<Row>({ ...preparedFor(prepared, sql, values), values: [...values], types: TYPES });
      return rows;
    } catch (error) {
      throw asLedgerError(error, doing);
    }
  };
  return {
    all: (sql, ...values) => run(sql, values, 'read the ledger'),
    get: async (sql, ...values) => (await run(sql, values, 'read the ledger'))[0],
    run: async (sql, ...values) => {
      await run(sql, values, 'write the ledger');
    },
  };
}

function preparedFor(prepared: Prepared, sql: string, values: readonly SqlValue[]): { readonly name?: string; readonly text: string } {
  if (values.length > MAX_PREPARED_VALUES) return { text: numbered(sql, values) };
  const key = `${values.map(typeOf).join('')} ${sql}`;
  const known = prepared.get(key);
  if (known !== undefined) return known;
  const made = { name: `sealane_${prepared.size}`, text: numbered(sql, values) };
  prepared.set(key, made);
  return made;
}

/** `?` → `$1::bigint` and so on, and SQLite's search in bytes as the standard writes it. No statement of ours has a question mark in a text. */
function numbered(sql: string, values: readonly SqlValue[]): string {
  let at = 0;
  return sql.replace(/\binstr\(([\w.]+), \?\)/g, 'position(? IN $1)').replaceAll('?', () => {
    const type = typeOf(values[at] ?? null);
    at += 1;
    return `$${at}${type}`;
  });
}

/** Without it `substr(?, 1, 6)` would be taken for a text's. */
function typeOf(value: SqlValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return '::bigint';
  return typeof value === 'string' ? '::text' : '::bytea';
}
