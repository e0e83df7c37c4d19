/** Brings payloads back from an archive into the database. What was erased does not come back. */
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries, Row, Store } from '../store/store.js';
import { fillFrom } from './absent.js';
import type { Archive } from './read-packs.js';

/** Entries in memory at a time, as many as a pack has. */
const PAGE = 256;

/** Which entries: from `from` to below `to`. */
export interface MoveInWish {
  readonly from: number;
  readonly to: number;
}

const ABSENT = `SELECT e.idx, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? AND v.idx IS NULL AND NOT EXISTS (SELECT 1 FROM erased r WHERE r.idx = e.idx) ORDER BY e.idx LIMIT ${PAGE}`;

/**
 * Brings back what is not there, some at a time, each durable; a payload counts only if it is what its leaf is about.
 *
 * @throws LedgerError `ARCHIVE_UNREACHABLE`, `ARCHIVE_DAMAGED`: what came before stays; `LEDGER_*` of a write
 */
export async function moveIn(store: Store, archive: Archive, { from, to }: MoveInWish): Promise<{ readonly entries: number }> {
  const fillIn = fillFrom(archive);
  let entries = 0;
  for (let begin = from; ;) {
    const rows = (await fillIn(store, await store.all(ABSENT, begin, to))).map(({ row }) => row);
    const last = rows.at(-1);
    if (last === undefined) return { entries };
    await store.write((transaction) => insertAll(transaction, rows));
    entries += rows.length;
    begin = integerAt(last, 'idx') + 1;
  }
}

async function insertAll(transaction: Queries, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const index = integerAt(row, 'idx');
    // another process may have been first
    if ((await transaction.get('SELECT idx FROM envelope WHERE idx = ?', index)) !== undefined) continue;
    const timestamp = row['timestamp'] === null ? null : bytesAt(row, 'timestamp');
    await transaction.run('INSERT INTO envelope(idx, payload, timestamp) VALUES (?, ?, ?)', index, bytesAt(row, 'payload'), timestamp);
  }
}
