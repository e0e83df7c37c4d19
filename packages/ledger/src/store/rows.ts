/** Readers of single columns: a row of the database becomes typed values once, and what does not fit is named. */
import { LedgerError } from '@sealane/core';
import type { Row } from './store.js';

/** Text of a column. @throws LedgerError `LEDGER_DAMAGED` */
export function textAt(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw damaged(column, 'text', value);
}

/** An integer of a column, at most 2^53. @throws LedgerError `LEDGER_DAMAGED` */
export function integerAt(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw damaged(column, 'an integer', value);
}

/** Bytes of a column. @throws LedgerError `LEDGER_DAMAGED` */
export function bytesAt(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw damaged(column, 'bytes', value);
}

/** Text or null of a column. @throws LedgerError `LEDGER_DAMAGED` */
export function textOrNullAt(row: Row, column: string): string | null {
  return row[column] === null ? null : textAt(row, column);
}

/** An integer or null of a column. @throws LedgerError `LEDGER_DAMAGED` */
export function integerOrNullAt(row: Row, column: string): number | null {
  return row[column] === null ? null : integerAt(row, column);
}

/** Bytes or null of a column. @throws LedgerError `LEDGER_DAMAGED` */
export function bytesOrNullAt(row: Row, column: string): Uint8Array | null {
  return row[column] === null ? null : bytesAt(row, column);
}

function damaged(column: string, expected: string, value: unknown): LedgerError {
  const got = value === null || value === undefined ? 'nothing' : typeof value;
  return new LedgerError('LEDGER_DAMAGED', `read column ${column} of the ledger: expected ${expected}, got ${got}`, { column });
}
