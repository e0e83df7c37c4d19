/** The rows that say which entries were erased, each held against the log's signature and against the erasure that it names. */
import { type Digest, LedgerError, parseStatement, SealaneError, sha256, type Vkey } from '@sealane/core';
import { keysAt, type LogKeys } from '../log/log-keys.js';
import { bytesAt, integerAt, textAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { isLineOver } from '../verify/commit-rows.js';
import { erasedBy, type ErasedStatement, erasedText } from './erasures.js';

/** A row of `erased`: the log's key signs that the entry `erasure` was ordered by who may. */
export interface ErasedRow {
  readonly index: number;
  readonly erasure: number;
  /** What the erasure says of the entry; undefined where it says nothing of it, or the row is not signed. */
  readonly said: ErasedStatement | undefined;
}

/** All rows of `erased`, by entry. */
export async function erasedRows(queries: Queries, keys: LogKeys): Promise<ReadonlyMap<number, ErasedRow>> {
  const rows = new Map<number, ErasedRow>();
  const orders = new Map<number, Order | undefined>();
  for (const row of await queries.all('SELECT idx, erasure, size, line FROM erased ORDER BY idx')) {
    const [index, erasure, size] = [integerAt(row, 'idx'), integerAt(row, 'erasure'), integerAt(row, 'size')];
    if (!orders.has(erasure)) orders.set(erasure, await readOrder(queries, erasure));
    const read = orders.get(erasure);
    const isBy = (vkey: Vkey, { order }: Order): boolean =>
      isLineOver(erasedText(vkey.name, { index, erasure, order, size }), textAt(row, 'line'), vkey);
    const isSigned = read !== undefined && keysAt(keys, size).some((vkey) => isBy(vkey, read));
    rows.set(index, { index, erasure, said: isSigned ? read.statements.find(({ logIndex }) => logIndex === index) : undefined });
  }
  return rows;
}

/** How many entries were erased: it only grows. */
export async function erasedCount(queries: Queries): Promise<number> {
  const row = await queries.get('SELECT count(*) AS erased FROM erased');
  return row === undefined ? 0 : integerAt(row, 'erased');
}

interface Order {
  readonly order: Digest;
  readonly statements: readonly ErasedStatement[];
}

async function readOrder(queries: Queries, index: number): Promise<Order | undefined> {
  const row = await queries.get('SELECT payload FROM envelope WHERE idx = ?', index);
  if (row === undefined) return undefined;
  const payload = bytesAt(row, 'payload');
  try {
    return { order: sha256(payload), statements: erasedBy(parseStatement(payload)) };
  } catch (error) {
    // a malformed one does not say that something was erased
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** What is left of an erased entry. @throws LedgerError `LEDGER_DAMAGED` its erasure says nothing of it */
export function expectSaid(rows: ReadonlyMap<number, ErasedRow>, index: number): ErasedStatement {
  const said = rows.get(index)?.said;
  if (said !== undefined) return said;
  throw new LedgerError('LEDGER_DAMAGED', `read entry ${index}: expected its envelope, or an erasure that names it, got neither`, {
    index,
  });
}
