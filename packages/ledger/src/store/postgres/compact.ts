/** Rows that were removed: their room, and what pages of the database still hold of them. */
import type pg from 'pg';
import { PROJECTION_TABLES } from '../../projection/schema.js';
import type { Compaction } from '../store.js';

/** Tables that hold what statements say. */
const SAYING = ['envelope', ...PROJECTION_TABLES.map(({ name }) => name)];
/** A table that is rewritten takes as long as it takes to copy it; behind this the server has gone. In milliseconds. */
const REWRITE_TIMEOUT_MS = 3_600_000;

/**
 * Vacuums. `room` makes that of removed envelopes free, and rewrites nothing: a table that is rewritten is locked for as long. `traces` rewrites every table that holds what
 * statements say, each by itself: pages that are only marked as free keep their bytes until others are written over them. What the planner knows of values is made anew too.
 *
 * A role that does not own a table is passed over by the server, with a warning.
 */
export async function compactTables(client: pg.PoolClient, what: Compaction): Promise<void> {
  if (what === 'room') {
    await client.query('VACUUM envelope');
    return;
  }
  const timed = (text: string): pg.QueryConfig & { readonly query_timeout: number } => ({ text, query_timeout: REWRITE_TIMEOUT_MS });
  for (const table of SAYING) await client.query(timed(`VACUUM (FULL, ANALYZE) ${table}`));
}
