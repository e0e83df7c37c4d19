/** Each entry by itself: the payload under the leaf's digest, the signature by the leaf's key, the statement's digest, the leaf's form. */
import {
  digestHex,
  equalBytes,
  fromHex,
  hex,
  INTOTO_PAYLOAD_TYPE,
  leafHash,
  makeEnvelope,
  pae,
  parseLogLeaf,
  SealaneError,
  sha256Raw,
} from '@sealane/core';
import { prepareEntry } from '../log/entry.js';
import { signerIn } from '../log/entry-rows.js';
import { bytesAt, bytesOrNullAt, integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';

const ROWS = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`;

/** What an entry is by its row: the hash of its leaf, undefined where there is no row, and what is wrong with it in itself. */
export interface CheckedEntry {
  readonly index: number;
  readonly hash: Uint8Array | undefined;
  readonly wrong: Wrong | undefined;
}

interface Wrong {
  readonly expected: string;
  readonly actual: string;
}

/** Entries that were read; their checks go on on every core. */
export interface EntriesInCheck {
  readonly checked: Promise<readonly CheckedEntry[]>;
}

/** Reads the entries from `begin` to `end` (exclusive) and begins to check them: the answer has one for each index. */
export async function startCheck(view: Queries, begin: number, end: number): Promise<EntriesInCheck> {
  const checked = checkRows(await view.all(ROWS, begin, end), begin, end);
  // heard of when its turn comes
  checked.catch(() => undefined);
  return { checked };
}

async function checkRows(rows: readonly Row[], begin: number, end: number): Promise<readonly CheckedEntry[]> {
  const missing = { hash: undefined, wrong: { expected: 'an entry', actual: 'no row' } };
  const checked: CheckedEntry[] = Array.from({ length: end - begin }, (_, at) => ({ index: begin + at, ...missing }));
  const wrong = await Promise.all(rows.map(whatIsWrong));
  for (const [at, row] of rows.entries()) {
    const index = integerAt(row, 'idx');
    checked[index - begin] = { index, hash: leafHash(bytesAt(row, 'leaf')), wrong: wrong[at] };
  }
  return checked;
}

async function whatIsWrong(row: Row): Promise<Wrong | undefined> {
  const payload = bytesOrNullAt(row, 'payload');
  if (payload === null) return { expected: 'the envelope of the leaf', actual: 'no row' };
  try {
    const { paeDigest } = parseLogLeaf(bytesAt(row, 'leaf'));
    const { signature, ...signer } = signerIn(row);
    const token = bytesOrNullAt(row, 'timestamp');
    if ((token === null) !== (signer.certified === undefined))
      return { expected: 'a timestamp for a keyless signature, and for no other', actual: token === null ? 'none' : 'one' };
    const actual = sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload));
    if (!equalBytes(actual, paeDigest))
      return { expected: `a payload of PAE digest ${hex(paeDigest)} as in the leaf`, actual: hex(actual) };
    // signature, statement and predicate: all that was checked before the entry was taken
    const { statementDigest } = await prepareEntry({ envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature), ...signer });
    const statement = bytesAt(row, 'statement');
    if (!equalBytes(statement, fromHex(digestHex(statementDigest))))
      return { expected: `statement ${statementDigest}`, actual: `sha256:${hex(statement)}` };
    return undefined;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return { expected: 'an entry that the log could have taken', actual: error.message };
  }
}
