/** The projection against one made anew from the entries, row by row. */
import { hex } from '@sealane/core';
import { replayEntries } from '../projection/rebuild.js';
import { PROJECTION_SCHEMA, PROJECTION_TABLES, type ProjectionTable } from '../projection/schema.js';
import { integerAt } from '../store/rows.js';
import type { Queries, Row, SqlValue, Store } from '../store/store.js';
import type { Problems } from './report.js';

/** Rows read at a time. */
const PAGE = 500;

/** Makes the projection again in scratch tables and names every row that differs. */
export async function checkProjection(store: Store, view: Queries, problems: Problems): Promise<void> {
  await store.scratch(PROJECTION_SCHEMA, async (anew) => {
    await replayEntries(view, anew);
    for (const table of PROJECTION_TABLES) await compareTable(table, { anew, view, problems });
  });
}

/** Both sides come in the order of the key: the smaller one has no counterpart. */
async function compareTable(
  table: ProjectionTable,
  { anew, view, problems }: { readonly anew: Queries; readonly view: Queries; readonly problems: Problems },
): Promise<void> {
  const [wanted, actual] = [rowsOf(anew, table), rowsOf(view, table)];
  let [left, right] = [await wanted.next(), await actual.next()];
  while (!left.done || !right.done) {
    const order = compareKeys(table, left.value, right.value);
    if (order < 0) problems.add(table.name, keyOf(table, left.value), describe(left.value), 'no row');
    if (order > 0) problems.add(table.name, keyOf(table, right.value), 'no row', describe(right.value));
    if (order === 0) compareRows(table, left.value, right.value, problems);
    if (order <= 0) left = await wanted.next();
    if (order >= 0) right = await actual.next();
  }
}

/** The rows of a table in the order of its key, page by page. All keys are integers. */
async function* rowsOf(queries: Queries, { name, key }: ProjectionTable): AsyncGenerator<Row, undefined> {
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

function compareKeys({ key }: ProjectionTable, left: Row | undefined, right: Row | undefined): number {
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  const column = key.find((name) => integerAt(left, name) !== integerAt(right, name));
  return column === undefined ? 0 : integerAt(left, column) - integerAt(right, column);
}

function compareRows(table: ProjectionTable, wanted: Row | undefined, actual: Row | undefined, problems: Problems): void {
  if (wanted === undefined || actual === undefined) return;
  const columns = Object.keys(wanted).filter((column) => show(wanted[column]) !== show(actual[column]));
  if (columns.length === 0) return;
  problems.add(table.name, keyOf(table, wanted), describe(wanted, columns), describe(actual, columns));
}

function keyOf({ key }: ProjectionTable, row: Row | undefined): string {
  return row === undefined ? '' : key.map((column) => integerAt(row, column)).join('/');
}

function describe(row: Row | undefined, columns: readonly string[] = Object.keys(row ?? {})): string {
  return columns.map((column) => `${column} ${show(row?.[column])}`).join(', ');
}

function show(value: unknown): string {
  return value instanceof Uint8Array ? hex(value) : JSON.stringify(value);
}
