/** Rows of the projection by whom they were signed: the ledger keeps what anybody said, and some of it counts only as the word of a few. */
import { fromHex } from '@sealane/core';
import type { SqlValue } from '../store/store.js';

/** A signer whose rows count, and from which entry on to below which (null: all that come). */
export interface RowSigner {
  readonly keyId: string;
  readonly fromIndex: number;
  readonly untilIndex: number | null;
}

/**
 * The condition that a row of the table `name` is by one of these, and its values. The signer is looked up for each row: a join would let a planner begin with all
 * that a key ever signed.
 */
export function signedBy(name: string, by: readonly RowSigner[]): { readonly isMeant: string; readonly values: readonly SqlValue[] } {
  const any = by.map(() => `(k.key_id = ? AND ${name}.idx >= ? AND ${name}.idx < ?)`).join(' OR ') || '1 = 0';
  const isMeant = `EXISTS (SELECT 1 FROM statement s JOIN key_seen k ON k.id = s.key WHERE s.idx = ${name}.idx AND (${any}))`;
  const values = by.flatMap(({ keyId, fromIndex, untilIndex }) => [fromHex(keyId), fromIndex, untilIndex ?? Number.MAX_SAFE_INTEGER]);
  return { isMeant, values };
}
