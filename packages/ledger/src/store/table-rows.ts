/** Whole tables, read in the order of their keys: to compare them, and to copy them. */
import type { TableKey } from '../projection/schema.js';
import { integerAt } from './rows.js';
import type { Queries, Row, SqlValue } from './store.js';

/** Rows read at a time. */
const PAGE = 500;

/** The rows of a table in the order of its key, page by page. All keys are integers. */
export async function* rowsOf(queries: Queries, { name, key }: TableKey): AsyncGenerator<Row, undefined> {
  const order = key.join(', ');
  let after: readonly SqlValue[] | undefined;
  for (;;) {
    const where = after === undefined ? '' : `WHERE (${order}) > (${key.map(() => '?').join(', ')})`;
    const page: readonly Row[] = await queries.all(`SELECT * FROM ${name} ${where} ORDER BY ${order} LIMIT ${PAGE}`, ...(after ?? []));
    yield* page;
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return undefined;
    after = key.map((column) => integerAt(last, column));
  }
}
