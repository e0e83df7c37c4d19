/** Rows of `log_entry` and `envelope`. */
import {
  digestFromHex,
  digestHex,
  type Digest,
  fromHex,
  hex,
  INTOTO_PAYLOAD_TYPE,
  makeEnvelope,
  parseLogLeaf,
  parseStatement,
  type Signed,
  signerIdOf,
} from '@sealane/core';
import { bytesAt, bytesOrNullAt, integerAt, textAt } from '../store/rows.js';
import type { Queries, Row, SqlValue } from '../store/store.js';
import type { LedgerEntry, PreparedEntry } from './entry.js';

const ENTRY = `SELECT e.idx, e.statement, e.leaf, v.payload, v.timestamp,
  (SELECT c.committed_at FROM log_commit c WHERE c.size > e.idx ORDER BY c.size LIMIT 1) AS committed_at
  FROM log_entry e JOIN envelope v ON v.idx = e.idx`;

/** Writes an entry as number `index`. */
export async function insertEntry(transaction: Queries, index: number, entry: PreparedEntry): Promise<void> {
  const statement = fromHex(digestHex(entry.statementDigest));
  await transaction.run('INSERT INTO log_entry(idx, statement, leaf) VALUES (?, ?, ?)', index, statement, entry.leaf);
  await transaction.run(
    'INSERT INTO envelope(idx, payload, timestamp) VALUES (?, ?, ?)',
    index,
    entry.payload,
    entry.certified?.timestamp ?? null,
  );
}

/** The index under which this statement by this signer is in the log. */
export async function findEntry(queries: Queries, statementDigest: Digest, keyId: string): Promise<number | undefined> {
  const statement = fromHex(digestHex(statementDigest));
  const rows = await queries.all(
    `SELECT e.idx, e.leaf, v.timestamp FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx
      WHERE substr(e.statement, 1, 6) = substr(?, 1, 6) AND e.statement = ? ORDER BY e.idx`,
    statement,
    statement,
  );
  const row = rows.find((candidate) => signerIdOf(signerIn(candidate)) === keyId);
  return row === undefined ? undefined : integerAt(row, 'idx');
}

/** One entry, or undefined when the log is not that long. */
export async function readEntry(queries: Queries, index: number): Promise<LedgerEntry | undefined> {
  const row = await queries.get(`${ENTRY} WHERE e.idx = ?`, index);
  return row === undefined ? undefined : entryOf(row);
}

/** The entries whose index a query selects, in log order. */
export async function entriesIn(queries: Queries, select: string, ...values: readonly SqlValue[]): Promise<readonly LedgerEntry[]> {
  return (await queries.all(`${ENTRY} WHERE e.idx IN (${select}) ORDER BY e.idx`, ...values)).map(entryOf);
}

/** All entries with this statement: one for each key that signed it. */
export async function entriesByStatement(queries: Queries, statementDigest: Digest): Promise<readonly LedgerEntry[]> {
  const statement = fromHex(digestHex(statementDigest));
  const rows = await queries.all(
    `${ENTRY} WHERE substr(e.statement, 1, 6) = substr(?, 1, 6) AND e.statement = ? ORDER BY e.idx`,
    statement,
    statement,
  );
  return rows.map(entryOf);
}

/** Entries from `begin` on, at most `count`. */
export async function entriesFrom(queries: Queries, begin: number, count: number): Promise<readonly LedgerEntry[]> {
  const rows = await queries.all(`${ENTRY} WHERE e.idx >= ? ORDER BY e.idx LIMIT ?`, begin, count);
  return rows.map(entryOf);
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
