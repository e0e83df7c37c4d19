/** The projection made anew from the log. */
import { entriesFrom } from '../log/entry-rows.js';
import { rowWriter } from '../store/row-writer.js';
import type { Queries } from '../store/store.js';
import { projectEntry, startProjecting } from './project.js';
import { projectionOf } from './projected.js';
import { PROJECTION_TABLES } from './schema.js';

/** Entries read at a time. */
const PAGE = 500;

/** Empties the projection and writes it again, in one transaction. */
export async function rebuildProjection(transaction: Queries): Promise<void> {
  // a table is emptied before those that it refers to
  for (const { name } of [...PROJECTION_TABLES].reverse()) await transaction.run(`DELETE FROM ${name}`);
  await replayEntries(transaction, transaction);
}

/** Reads every entry of `log` in order into the empty projection `tables`. */
export async function replayEntries(log: Queries, tables: Queries): Promise<void> {
  for (let next = 0; ;) {
    const page = await entriesFrom(log, next, PAGE);
    const rows = rowWriter(
      tables,
      PROJECTION_TABLES.map(({ name }) => name),
    );
    const projecting = startProjecting(tables, rows);
    for (const { index, statement, keyId, spki } of page) {
      await projectEntry(projecting, { index, keyId, spki, statement, projected: projectionOf(statement) });
      next = index + 1;
    }
    await rows.flush();
    if (page.length < PAGE) return;
  }
}
