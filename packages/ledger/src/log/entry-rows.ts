/** Rows of `log_entry` and `envelope`. */
import {
  digestFromHex,
  digestHex,
  type Digest,
  encodeLogLeaf,
  fromHex,
  hex,
  INTOTO_PAYLOAD_TYPE,
  makeEnvelope,
  pae,
  parseLogLeaf,
  parseStatement,
  sha256,
  sha256Raw,
  type Signed,
  signerIdOf,
} from '@sealane/core';
import { inLists } from '../store/in-list.js';
import type { RowWriter } from '../store/row-writer.js';
import { bytesAt, bytesOrNullAt, integerAt, textAt } from '../store/rows.js';
import type { Queries, Row, SqlValue } from '../store/store.js';
import { headOf } from './commits.js';
import type { LedgerEntry, PreparedEntry } from './entry.js';

const ENTRY = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp,
  (SELECT c.committed_at FROM log_commit c WHERE c.size > e.idx ORDER BY c.size LIMIT 1) AS committed_at
  FROM log_entry e JOIN envelope v ON v.idx = e.idx`;

/** Writes an entry as number `index`. */
export function insertEntry(rows: RowWriter, index: number, entry: PreparedEntry): void {
  rows.insert('log_entry', { idx: index, statement: fromHex(digestHex(entry.statementDigest)), leaf: entry.leaf });
  rows.insert('envelope', { idx: index, payload: entry.payload, timestamp: entry.certified?.timestamp ?? null });
}

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

/** Where entries are read from. */
export interface EntrySource {
  /** What has the rows of the log. */
  readonly log: Queries;
  /** What is asked which entries there are. */
  readonly answers: Queries;
  /** Holds rows of these indexes against what is known of them; rows that are missing too. */
  readonly expect: (wanted: readonly number[], rows: readonly Row[]) => Promise<void>;
}

/** Reads entries by index. */
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
}

/** Payloads that a reader keeps, in bytes: some ten thousand statements. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** Keeps what it has read and gives the same object again: an entry that is committed never changes. */
export function entryReader({ log, answers, expect }: EntrySource): EntryReader {
  const kept = new Map<number, LedgerEntry>();
  let keptBytes = 0;
  const keep = (entry: LedgerEntry): LedgerEntry => {
    keptBytes += entry.envelope.payload.length;
    if (keptBytes > MAX_KEPT_BYTES) {
      kept.clear();
      keptBytes = entry.envelope.payload.length;
    }
    kept.set(entry.index, entry);
    return entry;
  };
  const readAll = async (indexes: readonly number[]): Promise<readonly LedgerEntry[]> => {
    const found: LedgerEntry[] = [];
    for (const { marks, values } of inLists(indexes)) {
      const rows = await log.all(`${ENTRY} WHERE e.idx IN (${marks})`, ...values);
      await expect(values, rows);
      found.push(...rows.map(entryOf));
    }
    return found;
  };
  const entriesAt = async (indexes: readonly number[]): Promise<readonly LedgerEntry[]> => {
    const wanted = [...new Set(indexes)];
    const known = wanted.flatMap((index) => kept.get(index) ?? []);
    const missing = wanted.filter((index) => !kept.has(index));
    return [...known, ...(await readAll(missing)).map(keep)].sort((left, right) => left.index - right.index);
  };
  const entriesIn = async (select: string, ...values: readonly SqlValue[]): Promise<readonly LedgerEntry[]> =>
    entriesAt((await answers.all(select, ...values)).map((row) => integerAt(row, 'idx')));
  return {
    entry: async (index) => kept.get(index) ?? (await entriesAt([index]))[0],
    entriesAt,
    entriesIn,
    entriesFrom: async (begin, count) => {
      const end = Math.min((await headOf(answers)).size, begin + count);
      const rows = await log.all(`${ENTRY} WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`, begin, end);
      await expect(
        Array.from({ length: Math.max(0, end - begin) }, (_, at) => begin + at),
        rows,
      );
      // not kept: whoever reads the whole log reads each entry once
      return rows.map(entryOf);
    },
    byStatement: (digest) => {
      const statement = fromHex(digestHex(digest));
      return entriesIn(
        'SELECT e.idx FROM log_entry e WHERE substr(e.statement, 1, 6) = substr(?, 1, 6) AND e.statement = ?',
        statement,
        statement,
      );
    },
  };
}

/** An entry without what it says: its leaf, made anew of payload, signature and signer, and the digest of the payload. */
export interface EntryLeaf {
  readonly leaf: Uint8Array;
  readonly statementDigest: Digest;
}

/** The leaf of an entry, or undefined when the log is not that long. No column is believed but for payload, signature and signer. */
export async function entryLeaf(queries: Queries, index: number): Promise<EntryLeaf | undefined> {
  const row = await queries.get('SELECT e.leaf, v.payload FROM log_entry e JOIN envelope v ON v.idx = e.idx WHERE e.idx = ?', index);
  if (row === undefined) return undefined;
  const payload = bytesAt(row, 'payload');
  const leaf = encodeLogLeaf({ ...parseLogLeaf(bytesAt(row, 'leaf')), paeDigest: sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload)) });
  return { leaf, statementDigest: sha256(payload) };
}

/** Leaf bytes of the entries `begin` (inclusive) to `end` (exclusive), as many as there are. */
export async function leavesBetween(queries: Queries, begin: number, end: number): Promise<readonly Uint8Array[]> {
  const rows = await queries.all('SELECT leaf FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx', begin, end);
  return rows.map((row) => bytesAt(row, 'leaf'));
}

/** An entry out of a row of the `ENTRY` query: signature and signer are read from the leaf. */
function entryOf(row: Row): LedgerEntry {
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
  const { signature, spki, certificate } = parseLogLeaf(bytesAt(row, 'leaf'));
  const timestamp = bytesOrNullAt(row, 'timestamp') ?? new Uint8Array();
  return { signature, spki, ...(certificate === undefined ? {} : { certified: { certificate, timestamp } }) };
}
