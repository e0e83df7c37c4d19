/** Rows of entries against what was verified of them: no column counts for being there. */
import { equalBytes, INTOTO_PAYLOAD_TYPE, leafHash, LedgerError, pae, SealaneError, sha256Raw } from '@sealane/core';
import { leafAt, leafPartsAt } from '../log/leaf-row.js';
import { inLists } from '../store/in-list.js';
import { bytesAt, bytesOrNullAt, integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';

/** What stays of an entry. */
export interface EntryMark {
  /** SHA-256 of the payload. */
  readonly statement: Uint8Array;
  /** SHA-256 of the token of a keyless signature. */
  readonly token: Uint8Array | null;
  readonly leafHash: Uint8Array;
}

/**
 * The mark of an entry with `idx`, `statement`, `leaf`, `payload` and `timestamp`: its payload is the one in its leaf, and its digest that of the payload.
 *
 * @throws LedgerError `LEDGER_DAMAGED`
 */
export function markOf(row: Row): EntryMark {
  const index = integerAt(row, 'idx');
  const [payload, token] = [bytesOrNullAt(row, 'payload'), bytesOrNullAt(row, 'timestamp')];
  if (payload === null) throw damaged(index, 'what it says', 'no row');
  const statement = sha256Raw(payload);
  if (!equalBytes(sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload)), paeDigestIn(row, index)))
    throw damaged(index, 'the payload of its leaf', 'another');
  if (!equalBytes(statement, bytesAt(row, 'statement'))) throw damaged(index, 'the digest of its payload', 'another');
  return { statement, token: token === null ? null : sha256Raw(token), leafHash: leafHash(leafAt(row)) };
}

function paeDigestIn(row: Row, index: number): Uint8Array {
  try {
    return leafPartsAt(row).paeDigest;
  } catch (error) {
    if (error instanceof SealaneError) throw damaged(index, 'a leaf', error.message);
    throw error;
  }
}

const MARKS = `SELECT e.idx, e.statement, e.token, substr(t.data, (e.idx % 256) * 32 + 1, 32) AS leaf_hash
  FROM log_entry e JOIN hash_tile t ON t.level = 0 AND t.n = e.idx / 256`;

/**
 * Holds rows, as `markOf` takes them, against what was verified: each of the `wanted` indexes that was verified must be among them, as it was.
 *
 * @throws LedgerError `LEDGER_DAMAGED` one is gone, or another
 */
export async function expectVerified(answers: Queries, wanted: readonly number[], rows: readonly Row[]): Promise<void> {
  const found = new Map(rows.map((row) => [integerAt(row, 'idx'), row]));
  for (const { marks, values } of inLists(wanted)) {
    for (const mark of await answers.all(`${MARKS} WHERE e.idx IN (${marks})`, ...values)) {
      const index = integerAt(mark, 'idx');
      const row = found.get(index);
      if (row === undefined) throw damaged(index, 'the entry that was verified', 'no row');
      expectSame(index, mark, markOf(row));
    }
  }
}

function expectSame(index: number, known: Row, { statement, token, leafHash: hash }: EntryMark): void {
  const knownToken = bytesOrNullAt(known, 'token');
  const isSame =
    equalBytes(bytesAt(known, 'leaf_hash'), hash) &&
    equalBytes(bytesAt(known, 'statement'), statement) &&
    equalBytes(knownToken ?? new Uint8Array(), token ?? new Uint8Array());
  if (!isSame) throw damaged(index, 'the entry that was verified', 'another');
}

/** Holds leaves from entry `begin` on against what was verified. @throws LedgerError `LEDGER_DAMAGED` */
export async function expectLeaves(answers: Queries, begin: number, leaves: readonly Uint8Array[]): Promise<void> {
  const rows = await answers.all(`${MARKS} WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`, begin, begin + leaves.length);
  for (const [at, leaf] of leaves.entries()) {
    const known = rows[at];
    if (known === undefined || !equalBytes(bytesAt(known, 'leaf_hash'), leafHash(leaf)))
      throw damaged(begin + at, 'the leaf that was verified', 'another');
  }
}

/** Says that an entry is not what it must be. */
export function damaged(index: number, expected: string, got: string): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `read entry ${index} of the log: expected ${expected}, got ${got}`, { index });
}
