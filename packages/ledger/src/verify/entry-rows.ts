/**
 * Each entry by itself: the payload under the leaf's digest, the signature by the leaf's key, the statement's digest, the leaf's form. A payload that was moved to an
 * archive is fetched from there; of one that was erased, what the erasure says is held against the leaf.
 */
import {
  digestHex,
  equalBytes,
  fromHex,
  hex,
  INTOTO_PAYLOAD_TYPE,
  leafHash,
  type LogLeaf,
  pae,
  SealaneError,
  sha256Raw,
  signerIdOf,
} from '@sealane/core';
import type { ErasedRow } from '../archive/erased-rows.js';
import { remainsOf } from '../archive/erasures.js';
import { type Elsewhere, whereabouts } from '../archive/archive-rows.js';
import type { PackName } from '../archive/place-shell.js';
import type { Archive } from '../archive/read-packs.js';
import { type PreparedEntry, prepareSigned } from '../log/entry.js';
import { signerIn } from '../log/entry-rows.js';
import { leafAt, leafPartsAt } from '../log/leaf-row.js';
import type { ProjectedEntry } from '../projection/project.js';
import { bytesAt, bytesOrNullAt, integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';

const ROWS = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
  WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`;

/** An entry by its row: the hash of its leaf, undefined where there is no row, and what it says, or what is wrong with it in itself, or why that was not seen. */
export type CheckedEntry = { readonly index: number; readonly hash: Uint8Array | undefined } & Found;

type Found = { readonly entry: Omit<ProjectedEntry, 'index'> } | { readonly wrong: Wrong } | { readonly unseen: string };

interface Wrong {
  readonly expected: string;
  readonly actual: string;
}

/** Entries that were read; their checks go on on every core. */
export interface EntriesInCheck {
  readonly checked: Promise<readonly CheckedEntry[]>;
}

/** Where to look for what has no envelope. */
export interface Elsewheres {
  readonly archive: Archive;
  readonly erased: ReadonlyMap<number, ErasedRow>;
}

/** Reads the entries from `begin` to `end` (exclusive) and begins to check them: the answer has one for each index. */
export async function startCheck(view: Queries, elsewhere: Elsewheres, begin: number, end: number): Promise<EntriesInCheck> {
  const rows = await view.all(ROWS, begin, end);
  const absent = rows.filter(({ payload }) => payload === null).map((row) => integerAt(row, 'idx'));
  const places = absent.length === 0 ? new Map<number, Elsewhere>() : await whereabouts(view, absent);
  const checked = checkRows(await fetched(rows, places, elsewhere), begin, end);
  // heard of when its turn comes
  checked.catch(() => undefined);
  return { checked };
}

/** A row whose payload is there, or why it is not. */
type FetchedRow = { readonly row: Row; readonly found?: Found };

/** Brings what is in packs, one after the other. */
async function fetched(
  rows: readonly Row[],
  places: ReadonlyMap<number, Elsewhere>,
  { archive, erased }: Elsewheres,
): Promise<readonly FetchedRow[]> {
  const all: FetchedRow[] = [];
  for (const row of rows) {
    const index = integerAt(row, 'idx');
    const place = places.get(index);
    if (erased.has(index) && row['payload'] !== null)
      all.push({ row, found: { wrong: { expected: 'no envelope of an entry that was erased', actual: 'one' } } });
    else if (place === undefined) all.push({ row });
    else if ('erasure' in place) all.push({ row, found: erasedEntry(row, erased.get(index)) });
    else all.push(await fromPack(row, place.pack, archive));
  }
  return all;
}

async function fromPack(row: Row, pack: PackName, archive: Archive): Promise<FetchedRow> {
  try {
    const payload = (await archive.read(pack)).get(integerAt(row, 'idx'));
    return payload === undefined ? { row } : { row: { ...row, payload: payload.payload, timestamp: payload.timestamp } };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    if (error.code === 'ARCHIVE_UNREACHABLE') return { row, found: { unseen: error.message } };
    return { row, found: { wrong: { expected: `its payload in pack ${pack.digest}`, actual: error.message } } };
  }
}

/** What is left of an erased entry, where the erasure is of this very leaf. */
function erasedEntry(row: Row, erased: ErasedRow | undefined): Found {
  const leaf = leafAt(row);
  const [hash, statement] = [`sha256:${hex(leafHash(leaf))}`, `sha256:${hex(bytesAt(row, 'statement'))}`];
  const said = erased?.said;
  if (said?.leaf !== hash || said.statement !== statement)
    return {
      wrong: {
        expected: `its envelope, or an erasure that names ${statement} of leaf ${hash}`,
        actual: said === undefined ? 'neither' : 'one of another',
      },
    };
  const signer = signerIn(row);
  return { entry: { statement: remainsOf(said), keyId: signerIdOf(signer), spki: signer.spki, projected: null } };
}

async function checkRows(rows: readonly FetchedRow[], begin: number, end: number): Promise<readonly CheckedEntry[]> {
  const missing = { hash: undefined, wrong: { expected: 'an entry', actual: 'no row' } };
  const checked: CheckedEntry[] = Array.from({ length: end - begin }, (_, at) => ({ index: begin + at, ...missing }));
  for (const entry of await Promise.all(rows.map(checkRow))) checked[entry.index - begin] = entry;
  return checked;
}

async function checkRow({ row, found }: FetchedRow): Promise<CheckedEntry> {
  const leaf = leafAt(row);
  const known = { index: integerAt(row, 'idx'), hash: leafHash(leaf) };
  if (found !== undefined) return { ...known, ...found };
  const payload = bytesOrNullAt(row, 'payload');
  if (payload === null) return { ...known, wrong: { expected: 'the envelope of the leaf', actual: 'no row' } };
  try {
    return { ...known, ...(await readEntry(row, payload, leafPartsAt(row))) };
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
