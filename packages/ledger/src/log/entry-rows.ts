/** Rows of `log_entry` and `envelope`, and what they say where the envelope is elsewhere. */
import {
  digestFromHex,
  digestHex,
  type Digest,
  encodeLogLeaf,
  fromHex,
  hex,
  INTOTO_PAYLOAD_TYPE,
  LedgerError,
  makeEnvelope,
  pae,
  parseStatement,
  sha256,
  sha256Raw,
  type Signed,
  signerIdOf,
} from '@sealane/core';
import type { FillIn } from '../archive/absent.js';
import type { ErasureName } from '../archive/erasures.js';
import { inLists } from '../store/in-list.js';
import type { RowWriter } from '../store/row-writer.js';
import { bytesAt, bytesOrNullAt, integerAt, textAt } from '../store/rows.js';
import type { Queries, Row, SqlValue } from '../store/store.js';
import { headOf } from './commits.js';
import type { LedgerEntry, PreparedEntry } from './entry.js';
import { leafAt, leafPartsAt } from './leaf-row.js';

const ENTRY = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp,
  (SELECT c.committed_at FROM log_commit c WHERE c.size > e.idx ORDER BY c.size LIMIT 1) AS committed_at
  FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx`;

/** Writes an entry as number `index`; of one that was erased the row that says so, which `signErased` signs. */
export function insertEntry(rows: RowWriter, index: number, entry: PreparedEntry, signErased: SignErased): void {
  rows.insert('log_entry', { idx: index, statement: fromHex(digestHex(entry.statementDigest)), leaf: entry.packedLeaf });
  if (entry.erasure !== undefined) rows.insert('erased', signErased(index, entry.erasure));
  else rows.insert('envelope', { idx: index, payload: entry.payload, timestamp: entry.certified?.timestamp ?? null });
}

/** The row of `erased` of an entry. */
export type SignErased = (index: number, erasure: ErasureName) => Readonly<Record<string, SqlValue>>;

/** Which of these are in the log: statement and signer, as `entryName` writes them → index. */
export async function findEntries(queries: Queries, entries: readonly PreparedEntry[]): Promise<Map<string, number>> {
  const statements = [...new Set(entries.map(({ statementDigest }) => statementDigest))].map((digest) => fromHex(digestHex(digest)));
  const found = new Map<string, number>();
  for (const { marks, values } of inLists(statements)) {
    const rows = await queries.all(
      `SELECT e.idx, e.statement, k.key_id FROM log_entry e JOIN statement s ON s.idx = e.idx JOIN key_seen k ON k.id = s.key
        WHERE substr(e.statement, 1, 6) IN (${marks}) AND e.statement IN (${marks}) ORDER BY e.idx DESC`,
      ...values.map((statement) => statement.subarray(0, 6)),
      ...values,
    );
    for (const row of rows) {
      const statementDigest = digestFromHex(hex(bytesAt(row, 'statement')));
      found.set(entryName({ statementDigest, keyId: hex(bytesAt(row, 'key_id')) }), integerAt(row, 'idx'));
    }
  }
  return found;
}

/** A statement by a signer, which is in the log once. */
export function entryName({ statementDigest, keyId }: Pick<PreparedEntry, 'statementDigest' | 'keyId'>): string {
  return `${statementDigest} ${keyId}`;
}

/** An entry that says nothing any more: the entry `erasure` ordered it. */
export interface ErasedEntry {
  readonly index: number;
  readonly statementDigest: Digest;
  readonly keyId: string;
  readonly erasure: number;
}

/** Takes note of an erased entry that is left out of a list; without one, reading it fails: what a refusal rests on must not go unseen. */
export type NoteErased = (entry: ErasedEntry) => void;

/** Where entries are read from. */
export interface EntrySource {
  /** What has the rows of the log. */
  readonly log: Queries;
  /** What is asked which entries there are. */
  readonly answers: Queries;
  /** Holds rows of these indexes against what is known of them; rows that are missing too. */
  readonly expect: (wanted: readonly number[], rows: readonly Row[]) => Promise<void>;
  /** Brings what rows have no payload of. */
  readonly fillIn: FillIn;
}

/** Reads entries by index. @throws LedgerError (every function) `STATEMENT_ERASED`, and what `fillFrom` names */
export interface EntryReader {
  /** One entry, or undefined when the log is not that long. */
  entry(index: number): Promise<LedgerEntry | undefined>;
  /** The entries with these indexes, in log order. */
  entriesAt(indexes: readonly number[]): Promise<readonly LedgerEntry[]>;
  /** The entries whose `idx` a query selects, in log order. */
  entriesIn(select: string, ...values: readonly SqlValue[]): Promise<readonly LedgerEntry[]>;
  /** Entries from `begin` on, at most `count`. */
  entriesFrom(begin: number, count: number): Promise<readonly LedgerEntry[]>;
  /** All entries with this statement: one for each key that signed it. */
  byStatement(digest: Digest): Promise<readonly LedgerEntry[]>;
  /** The same reader, whose lists leave out what was erased and say so. */
  noting(note: NoteErased): EntryReader;
  /** Keeps entries that were read by others. */
  keep(entries: readonly LedgerEntry[]): void;
  /** Forgets all that it keeps: something was erased. */
  forget(): void;
  /** One object until then, and another after. */
  memory(): object;
}

/** Payloads that a reader keeps, in bytes: some ten thousand statements. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** Keeps what it has read and gives the same object again: an entry that is committed does not change, but for being erased. */
export function entryReader(source: EntrySource): EntryReader {
  const kept = new Map<number, LedgerEntry>();
  let keptBytes = 0;
  let memory = {};
  const keep = (entry: LedgerEntry): LedgerEntry => {
    keptBytes += entry.envelope.payload.length;
    if (keptBytes > MAX_KEPT_BYTES) {
      kept.clear();
      keptBytes = entry.envelope.payload.length;
    }
    kept.set(entry.index, entry);
    return entry;
  };
  const forget = (): void => {
    kept.clear();
    keptBytes = 0;
    memory = {};
  };
  return readerOf(source, { get: (index) => kept.get(index), keep, forget, memory: () => memory }, refuseErased);
}

/** Entries that were read. */
interface Kept {
  readonly get: (index: number) => LedgerEntry | undefined;
  readonly keep: (entry: LedgerEntry) => LedgerEntry;
  readonly forget: () => void;
  readonly memory: () => object;
}

function readerOf(source: EntrySource, kept: Kept, note: NoteErased): EntryReader {
  const { log, answers } = source;
  const readAll = async (indexes: readonly number[]): Promise<readonly LedgerEntry[]> => {
    const found: LedgerEntry[] = [];
    for (const { marks, values } of inLists(indexes))
      found.push(...(await entriesOf(source, values, await log.all(`${ENTRY} WHERE e.idx IN (${marks})`, ...values), note)));
    return found;
  };
  const entriesAt = async (indexes: readonly number[]): Promise<readonly LedgerEntry[]> => {
    const wanted = [...new Set(indexes)];
    const known = wanted.flatMap((index) => kept.get(index) ?? []);
    const missing = wanted.filter((index) => kept.get(index) === undefined);
    return [...known, ...(await readAll(missing)).map(kept.keep)].sort((left, right) => left.index - right.index);
  };
  const entriesIn = async (select: string, ...values: readonly SqlValue[]): Promise<readonly LedgerEntry[]> =>
    entriesAt((await answers.all(select, ...values)).map((row) => integerAt(row, 'idx')));
  return {
    entry: async (index) => kept.get(index) ?? (await readerOf(source, kept, refuseErased).entriesAt([index]))[0],
    entriesAt,
    entriesIn,
    entriesFrom: async (begin, count) => {
      const end = Math.min((await headOf(answers)).size, begin + count);
      const indexes = Array.from({ length: Math.max(0, end - begin) }, (_, at) => begin + at);
      const known = indexes.flatMap((index) => kept.get(index) ?? []);
      if (known.length === indexes.length) return known;
      const rows = await log.all(`${ENTRY} WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`, begin, end);
      // not kept: whoever reads the whole log reads each entry once
      return await entriesOf(source, indexes, rows, note);
    },
    byStatement: (digest) => {
      const statement = fromHex(digestHex(digest));
      return entriesIn(
        'SELECT e.idx FROM log_entry e WHERE substr(e.statement, 1, 6) = substr(?, 1, 6) AND e.statement = ?',
        statement,
        statement,
      );
    },
    forget: kept.forget,
    memory: kept.memory,
    keep: (entries) => {
      for (const entry of entries) if (kept.get(entry.index) === undefined) kept.keep(entry);
    },
    noting: (other) => readerOf(source, kept, other),
  };
}

/** The entries of rows, filled in and held against what is known of them. Who says that something was erased hides nothing: without a note that fails. */
async function entriesOf(
  { log, expect, fillIn }: EntrySource,
  wanted: readonly number[],
  rows: readonly Row[],
  note: NoteErased,
): Promise<readonly LedgerEntry[]> {
  const present: Row[] = [];
  const erased = new Set<number>();
  for (const { row, erasure } of await fillIn(log, rows)) {
    if (erasure === undefined) present.push(row);
    else {
      note(erasedIn(row, erasure));
      erased.add(integerAt(row, 'idx'));
    }
  }
  await expect(
    wanted.filter((index) => !erased.has(index)),
    present,
  );
  return present.map(entryOf);
}

/** Fails: a list that would lack an entry is not given. */
function refuseErased({ index, statementDigest, erasure }: ErasedEntry): never {
  throw new LedgerError(
    'STATEMENT_ERASED',
    `read entry ${index}: expected statement ${statementDigest}, which entry ${erasure} has erased`,
    { index, erasure, digest: statementDigest },
  );
}

function erasedIn(row: Row, erasure: number): ErasedEntry {
  return {
    index: integerAt(row, 'idx'),
    statementDigest: digestFromHex(hex(bytesAt(row, 'statement'))),
    keyId: signerIdOf(signerIn(row)),
    erasure,
  };
}

/** An entry without what it says: its leaf, made anew of payload, signature and signer, and the digest of the payload. */
export interface EntryLeaf {
  readonly leaf: Uint8Array;
  readonly statementDigest: Digest;
}

/**
 * The leaf of an entry, or undefined when the log is not that long. No column is believed but for payload, signature and signer; of an entry that was erased
 * the leaf is the one that is there, and so is the digest.
 */
export async function entryLeaf(queries: Queries, fillIn: FillIn, index: number): Promise<EntryLeaf | undefined> {
  const stored = await queries.get(
    'SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx WHERE e.idx = ?',
    index,
  );
  const [filled] = stored === undefined ? [] : await fillIn(queries, [stored]);
  if (filled === undefined) return undefined;
  const { row, erasure } = filled;
  if (erasure !== undefined) return { leaf: leafAt(row), statementDigest: digestFromHex(hex(bytesAt(row, 'statement'))) };
  const payload = bytesAt(row, 'payload');
  const leaf = encodeLogLeaf({ ...leafPartsAt(row), paeDigest: sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload)) });
  return { leaf, statementDigest: sha256(payload) };
}

/** Leaf bytes of the entries `begin` (inclusive) to `end` (exclusive), as many as there are. */
export async function leavesBetween(queries: Queries, begin: number, end: number): Promise<readonly Uint8Array[]> {
  const rows = await queries.all('SELECT leaf FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx', begin, end);
  return rows.map(leafAt);
}

/** Leaf bytes by index, of those entries that there are. */
export async function leavesAt(queries: Queries, indexes: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>> {
  const leaves = new Map<number, Uint8Array>();
  for (const { marks, values } of inLists(indexes))
    for (const row of await queries.all(`SELECT idx, leaf FROM log_entry WHERE idx IN (${marks})`, ...values))
      leaves.set(integerAt(row, 'idx'), leafAt(row));
  return leaves;
}

/** An entry out of a row of the `ENTRY` query: signature and signer are read from the leaf. */
export function entryOf(row: Row): LedgerEntry {
  const { signature, ...signer } = signerIn(row);
  const payload = bytesAt(row, 'payload');
  return {
    index: integerAt(row, 'idx'),
    envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature),
    ...signer,
    statement: parseStatement(payload),
    statementDigest: digestFromHex(hex(bytesAt(row, 'statement'))),
    keyId: signerIdOf(signer),
    loggedAt: textAt(row, 'committed_at'),
  };
}

/** Signature and signer of a row: a keyless one's token lies beside the payload, since no leaf holds it. */
export function signerIn(row: Row): Pick<Signed, 'spki' | 'certified'> & { readonly signature: Uint8Array } {
  const { signature, spki, certificate } = leafPartsAt(row);
  const timestamp = bytesOrNullAt(row, 'timestamp') ?? new Uint8Array();
  return { signature, spki, ...(certificate === undefined ? {} : { certified: { certificate, timestamp } }) };
}
