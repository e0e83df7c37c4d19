/** Rows that a transaction writes, gathered and put into each table many at a time: to a server one statement costs more than a row. */
import type { Queries, RowsAtOnce, SqlValue } from './store.js';

/** Rows of one statement at most. */
const MAX_ROWS = 64;

/** Takes rows until they are written. */
export interface RowWriter {
  /** Column → value, in one fixed order for each table. */
  insert(table: string, row: Readonly<Record<string, SqlValue>>): void;
  /** Writes what was taken, table by table. */
  flush(): Promise<void>;
}

/** A writer into `tables`, which are named in the order in which rows may go in: a table behind those that it refers to. */
export function rowWriter(queries: Queries, tables: readonly string[], atOnce: RowsAtOnce = 'powers-of-two'): RowWriter {
  const countOf = (waiting: number): number => Math.min(MAX_ROWS, atOnce === 'any' ? waiting : 2 ** Math.floor(Math.log2(waiting)));
  const taken = new Map(tables.map((table): [string, Readonly<Record<string, SqlValue>>[]] => [table, []]));
  return {
    insert: (table, row) => {
      taken.get(table)?.push(row);
    },
    flush: async () => {
      for (const [table, rows] of taken) {
        while (rows.length > 0) await insertRows(queries, table, rows.splice(0, countOf(rows.length)));
      }
    },
  };
}

async function insertRows(queries: Queries, table: string, rows: readonly Readonly<Record<string, SqlValue>>[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const marks = `(${columns.map(() => '?').join(', ')})`;
  const sql = `INSERT INTO ${table}(${columns.join(', ')}) VALUES ${rows.map(() => marks).join(', ')}`;
  await queries.run(sql, ...rows.flatMap((row) => columns.map((column) => row[column] ?? null)));
}
