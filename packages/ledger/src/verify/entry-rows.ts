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
import type { Problems } from './report.js';

const ROWS = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`;

/** Leaf hashes of the entries from `begin` to `end` (exclusive) by position; undefined where there is no row. Names each row that is wrong in itself. */
export async function checkedLeafHashes(
  view: Queries,
  { begin, end, problems }: { readonly begin: number; readonly end: number; readonly problems: Problems },
): Promise<readonly (Uint8Array | undefined)[]> {
  const hashes: (Uint8Array | undefined)[] = Array.from({ length: end - begin }, () => undefined);
  for (const row of await view.all(ROWS, begin, end)) {
    const index = integerAt(row, 'idx');
    const wrong = whatIsWrong(row);
    if (wrong !== undefined) problems.add('entry', index, wrong.expected, wrong.actual);
    hashes[index - begin] = leafHash(bytesAt(row, 'leaf'));
  }
  hashes.forEach((hash, at) => {
    if (hash === undefined) problems.add('entry', begin + at, 'an entry', 'no row');
  });
  return hashes;
}

interface Wrong {
  readonly expected: string;
  readonly actual: string;
}

function whatIsWrong(row: Row): Wrong | undefined {
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
    const { statementDigest } = prepareEntry({ envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature), ...signer });
    const statement = bytesAt(row, 'statement');
    if (!equalBytes(statement, fromHex(digestHex(statementDigest))))
      return { expected: `statement ${statementDigest}`, actual: `sha256:${hex(statement)}` };
    return undefined;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return { expected: 'an entry that the log could have taken', actual: error.message };
  }
}
