/**
 * Receipts as links of the chains of their sites: what a question over all sites looks at before it reads any. A row of few columns each, and what rows
 * repeat (releases, keys) looked up once: ten thousand sites have half a million of them.
 */
import { type Digest, digestFromHex, hex } from '@sealane/core';
import { inLists } from '../store/in-list.js';
import { bytesAt, integerAt, integerOrNullAt, textAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';

/** A receipt by its row. `follows`: what it names as the one before it is the one before it, by `seq` and then by place in the log. */
export interface ReceiptLink {
  readonly site: string;
  readonly index: number;
  readonly seq: number;
  readonly keyId: string;
  readonly event: string;
  readonly release: Digest | null;
  readonly previous: Digest | null;
  readonly at: string;
  readonly follows: boolean;
}

/** The links of these sites among the first `size` entries: site by site in the order of their numbers. */
export async function receiptLinks(queries: Queries, sites: readonly string[], size: number): Promise<readonly ReceiptLink[]> {
  const rows: Row[] = [];
  for (const { marks, values } of inLists(sites)) rows.push(...(await queries.all(linksOf(marks), ...values, size)));
  const artifacts = await namesOf(queries, DIGESTS, idsIn(rows, ['artifact', 'previous']));
  const keys = await namesOf(queries, KEYS, idsIn(rows, ['key']));
  const digests = new Map([...artifacts].map(([id, name]) => [id, digestFromHex(name)]));
  const digestAt = (row: Row, column: string): Digest | null => digests.get(integerOrNullAt(row, column) ?? -1) ?? null;
  return rows.map((row) => ({
    site: textAt(row, 'site'),
    index: integerAt(row, 'idx'),
    seq: integerAt(row, 'seq'),
    keyId: keys.get(integerAt(row, 'key')) ?? '',
    event: textAt(row, 'event'),
    release: digestAt(row, 'artifact'),
    previous: digestAt(row, 'previous'),
    at: textAt(row, 'at'),
    follows: integerAt(row, 'follows') === 1,
  }));
}

const linksOf = (marks: string): string => `SELECT r.site, r.idx, r.seq, r.event, r.artifact, r.previous, r.at, s.key,
    CASE WHEN r.prev = lag(e.statement) OVER (PARTITION BY r.site ORDER BY r.seq, r.idx) THEN 1 ELSE 0 END AS follows
  FROM receipt r JOIN log_entry e ON e.idx = r.idx JOIN statement s ON s.idx = r.idx
  WHERE r.site IN (${marks}) AND r.idx < ? ORDER BY r.site, r.seq, r.idx`;

const DIGESTS = (marks: string): string => `SELECT id, digest AS name FROM artifact WHERE id IN (${marks})`;
const KEYS = (marks: string): string => `SELECT id, key_id AS name FROM key_seen WHERE id IN (${marks})`;

function idsIn(rows: readonly Row[], columns: readonly string[]): readonly number[] {
  return [...new Set(columns.flatMap((column) => rows.flatMap((row) => integerOrNullAt(row, column) ?? [])))];
}

/** What interned bytes are, in hexadecimal, by their ids. */
async function namesOf(queries: Queries, select: (marks: string) => string, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  for (const { marks, values } of inLists(ids))
    for (const row of await queries.all(select(marks), ...values)) names.set(integerAt(row, 'id'), hex(bytesAt(row, 'name')));
  return names;
}
