/** The projection against one made anew from the entries, row by row. */
import { equalBytes, hex } from '@sealane/core';
import { PROJECTION_TABLES, type TableKey } from '../projection/schema.js';
import { integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { rowsOf } from '../store/table-rows.js';
import type { Problems } from './report.js';

/** Longest value named in a problem, in UTF-16 units: a document may have half a megabyte. */
const MAX_SHOWN = 300;

/** The projection made anew in scratch tables, the one that is there, and where rows that differ are named. */
export interface Projections {
  readonly anew: Queries;
  readonly view: Queries;
  readonly problems: Problems;
}

/** Names every row that differs. */
export async function compareProjections(projections: Projections): Promise<void> {
  for (const table of PROJECTION_TABLES) await compareTable(table, projections);
}

/** Both sides come in the order of the key: the smaller one has no counterpart. */
async function compareTable(table: TableKey, { anew, view, problems }: Projections): Promise<void> {
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

function compareKeys({ key }: TableKey, left: Row | undefined, right: Row | undefined): number {
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  const column = key.find((name) => integerAt(left, name) !== integerAt(right, name));
  return column === undefined ? 0 : integerAt(left, column) - integerAt(right, column);
}

function compareRows(table: TableKey, wanted: Row | undefined, actual: Row | undefined, problems: Problems): void {
  if (wanted === undefined || actual === undefined) return;
  const columns = Object.keys(wanted).filter((column) => !isSame(wanted[column], actual[column]));
  if (columns.length === 0) return;
  problems.add(table.name, keyOf(table, wanted), describe(wanted, columns), describe(actual, columns));
}

function isSame(wanted: unknown, actual: unknown): boolean {
  return wanted === actual || (wanted instanceof Uint8Array && actual instanceof Uint8Array && equalBytes(wanted, actual));
}

function keyOf({ key }: TableKey, row: Row | undefined): string {
  return row === undefined ? '' : key.map((column) => integerAt(row, column)).join('/');
}

function describe(row: Row | undefined, columns: readonly string[] = Object.keys(row ?? {})): string {
  return columns.map((column) => `${column} ${show(row?.[column]).slice(0, MAX_SHOWN)}`).join(', ');
}

function show(value: unknown): string {
  return value instanceof Uint8Array ? hex(value) : JSON.stringify(value);
}
