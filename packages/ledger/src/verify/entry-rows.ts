/** Each entry by itself: the payload under the leaf's digest, the signature by the leaf's key, the statement's digest, the leaf's form. */
import {
  digestHex,
  equalBytes,
  fromHex,
  hex,
  INTOTO_PAYLOAD_TYPE,
  leafHash,
  type LogLeaf,
  pae,
  parseLogLeaf,
  SealaneError,
  sha256Raw,
} from '@sealane/core';
import { type PreparedEntry, prepareSigned } from '../log/entry.js';
import { bytesAt, bytesOrNullAt, integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';

const ROWS = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`;

/** An entry by its row: the hash of its leaf, undefined where there is no row, and what it says, or what is wrong with it in itself. */
export type CheckedEntry = { readonly index: number; readonly hash: Uint8Array | undefined } & (
  { readonly entry: PreparedEntry; readonly wrong?: undefined } | { readonly wrong: Wrong }
);

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
  for (const entry of await Promise.all(rows.map(checkRow))) checked[entry.index - begin] = entry;
  return checked;
}

async function checkRow(row: Row): Promise<CheckedEntry> {
  const leaf = bytesAt(row, 'leaf');
  const known = { index: integerAt(row, 'idx'), hash: leafHash(leaf) };
  const payload = bytesOrNullAt(row, 'payload');
  if (payload === null) return { ...known, wrong: { expected: 'the envelope of the leaf', actual: 'no row' } };
  try {
    return { ...known, ...(await readEntry(row, payload, parseLogLeaf(leaf))) };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return { ...known, wrong: { expected: 'an entry that the log could have taken', actual: error.message } };
  }
}

async function readEntry(
  row: Row,
  payload: Uint8Array,
  leaf: LogLeaf,
): Promise<{ readonly wrong: Wrong } | { readonly entry: PreparedEntry }> {
  const { certificate, signature, spki } = leaf;
  const token = bytesOrNullAt(row, 'timestamp');
  if ((token === null) !== (certificate === undefined)) {
    const expected = 'a timestamp for a keyless signature, and for no other';
    return { wrong: { expected, actual: token === null ? 'none' : 'one' } };
  }
  const actual = sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload));
  if (!equalBytes(actual, leaf.paeDigest)) {
    return { wrong: { expected: `a payload of PAE digest ${hex(leaf.paeDigest)} as in the leaf`, actual: hex(actual) } };
  }
  const certified = certificate === undefined || token === null ? {} : { certified: { certificate, timestamp: token } };
  // signature, statement and predicate: all that was checked before the entry was taken
  const entry = await prepareSigned({ payload, signature, spki, ...certified });
  const statement = bytesAt(row, 'statement');
  if (equalBytes(statement, fromHex(digestHex(entry.statementDigest)))) return { entry };
  return { wrong: { expected: `statement ${entry.statementDigest}`, actual: `sha256:${hex(statement)}` } };
}
