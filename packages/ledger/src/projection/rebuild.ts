/** The projection made anew from the log. */
import { parseStatement, signerIdOf } from '@sealane/core';
import type { FilledRow, FillIn } from '../archive/absent.js';
import { type ErasedRow, erasedRows, expectSaid } from '../archive/erased-rows.js';
import { remainsOf } from '../archive/erasures.js';
import type { LogKeys } from '../log/log-keys.js';
import { signerIn } from '../log/entry-rows.js';
import { rowWriter } from '../store/row-writer.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { type ProjectedEntry, projectEntry, startProjecting } from './project.js';
import { projectionOf } from './projected.js';
import { PROJECTION_TABLES } from './schema.js';

/** Entries read at a time. */
const PAGE = 500;

/** What brings payloads that are elsewhere, and the keys that sign for those that are nowhere. */
export interface Rest {
  readonly fillIn: FillIn;
  readonly keys: LogKeys;
}

/** Empties the projection and writes it again, in one transaction. */
export async function rebuildProjection(transaction: Queries, rest: Rest): Promise<void> {
  // a table is emptied before those that it refers to
  for (const { name } of [...PROJECTION_TABLES].reverse()) await transaction.run(`DELETE FROM ${name}`);
  await replayEntries(transaction, transaction, rest);
}

/** Reads every entry of `log` in order into the empty projection `tables`. */
export async function replayEntries(log: Queries, tables: Queries, { fillIn, keys }: Rest): Promise<void> {
  const erased = await erasedRows(log, keys);
  for (let next = 0; ; next += PAGE) {
    const rows = await log.all(ENTRIES, next, next + PAGE);
    await replayPage(
      tables,
      (await fillIn(log, rows)).map((row) => projectedOf(row, erased)),
    );
    if (rows.length < PAGE) return;
  }
}

const ENTRIES = `SELECT e.idx, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`;

function projectedOf({ row, erasure }: FilledRow, erased: ReadonlyMap<number, ErasedRow>): ProjectedEntry {
  const signer = signerIn(row);
  const index = integerAt(row, 'idx');
  const known = { index, keyId: signerIdOf(signer), spki: signer.spki };
  if (erasure !== undefined) return { ...known, statement: remainsOf(expectSaid(erased, index)), projected: null };
  const statement = parseStatement(bytesAt(row, 'payload'));
  return { ...known, statement, projected: projectionOf(statement) };
}

/** Adds the entries that follow those that `tables` has. */
export async function replayPage(tables: Queries, page: readonly ProjectedEntry[]): Promise<void> {
  const rows = rowWriter(
    tables,
    PROJECTION_TABLES.map(({ name }) => name),
  );
  const projecting = startProjecting(tables, rows);
  for (const entry of page) await projectEntry(projecting, entry);
  await rows.flush();
}
