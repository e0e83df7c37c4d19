/**
 * What was erased since it was verified. The tree stays, and with it all that is remembered against another log or a shorter one; the projection is made again
 * from what is left, since its ids are given by first appearance: in one transaction, and only if every entry is as it was, or is erased by an order that counts.
 */
import { headOf } from '../log/commits.js';
import { leafAt } from '../log/leaf-row.js';
import { projectEntry, startProjecting } from '../projection/project.js';
import { PROJECTION_TABLES } from '../projection/schema.js';
import { rowWriter } from '../store/row-writer.js';
import { integerAt } from '../store/rows.js';
import type { Queries, Store } from '../store/store.js';
import { damaged, expectLeaves, expectVerified } from './entry.js';
import type { KeyChain } from './key-chain.js';
import { type Taken, takenBetween } from './taken.js';

/** Entries read at a time. */
const PAGE = 500;

/**
 * Makes the projection of `index` again where fewer than `count` entries of it are erased: so many are in the log.
 *
 * @throws LedgerError `LEDGER_DAMAGED` an entry is gone or another, and nobody has erased it; `index` stays as it was
 */
export async function takeErased(log: Queries, index: Store, keys: KeyChain, count: number): Promise<void> {
  if ((await erasedCount(index)) >= count) return;
  await index.write(async (transaction) => {
    // another process may have been first
    if ((await erasedCount(transaction)) >= count) return;
    const { size } = await headOf(transaction);
    for (const { name } of [...PROJECTION_TABLES].reverse()) await transaction.run(`DELETE FROM ${name}`);
    await transaction.run('DELETE FROM erased');
    let taken = 0;
    for (let begin = 0; begin < size; begin += PAGE) taken += await takePage(log, transaction, keys, [begin, Math.min(size, begin + PAGE)]);
    if (taken < count) throw damaged(size, `${count} entries before it to say nothing any more`, `${taken}`);
  });
}

async function erasedCount(index: Queries): Promise<number> {
  const row = await index.get('SELECT count(*) AS count FROM erased');
  return row === undefined ? 0 : integerAt(row, 'count');
}

/** Takes some entries again, each as it was verified; how many of them are erased. */
async function takePage(
  log: Queries,
  transaction: Queries,
  keys: KeyChain,
  [begin, end]: readonly [begin: number, end: number],
): Promise<number> {
  const taken = await takenBetween(log, keys, begin, end);
  taken.forEach(({ entry }, at) => {
    if (entry.index !== begin + at) throw damaged(begin + at, 'a row', `that of ${entry.index}`);
  });
  if (taken.length !== end - begin) throw damaged(begin + taken.length, 'a row', 'none');
  await expectLeaves(
    transaction,
    begin,
    taken.map(({ row }) => leafAt(row)),
  );
  const present = taken.filter(({ isErased }) => !isErased);
  await expectVerified(
    transaction,
    present.map(({ entry }) => entry.index),
    present.map(({ row }) => row),
  );
  await writeAgain(transaction, taken);
  return taken.length - present.length;
}

async function writeAgain(transaction: Queries, taken: readonly Taken[]): Promise<void> {
  const rows = rowWriter(transaction, ['erased', ...PROJECTION_TABLES.map(({ name }) => name)]);
  const projecting = startProjecting(transaction, rows);
  for (const { entry, isErased } of taken) {
    if (isErased) rows.insert('erased', { idx: entry.index });
    await projectEntry(projecting, entry);
  }
  await rows.flush();
}
