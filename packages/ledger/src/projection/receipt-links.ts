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
  readonly index: number;
  readonly seq: number;
  readonly keyId: string;
  readonly event: string;
  readonly release: Digest | null;
  readonly previous: Digest | null;
  readonly at: string;
  readonly follows: boolean;
}

/** Site → the links of those of its receipts that are among the first `size` entries, in the order of their numbers. */
export type ReceiptLinks = (sites: readonly string[], size: number) => Promise<ReadonlyMap<string, readonly ReceiptLink[]>>;

/** The links of a site, and how far in the log they go. */
interface KeptChain {
  readonly end: string;
  readonly links: readonly ReceiptLink[];
}

/** Links that are kept: some 200 bytes each. */
const MAX_KEPT = 50_000;

/** Reads the links of a site anew when it has others: no receipt goes, and one that comes has a higher place in the log. */
export function keptLinks(queries: Queries): ReceiptLinks {
  const kept = new Map<string, KeptChain>();
  let count = 0;
  const keep = (site: string, chain: KeptChain): void => {
    count += chain.links.length - (kept.get(site)?.links.length ?? 0);
    kept.set(site, chain);
    if (count <= MAX_KEPT) return;
    kept.clear();
    count = 0;
  };
  return async (sites, size) => {
    const ends = await endsOf(queries, sites, size);
    const known = new Map<string, readonly ReceiptLink[]>();
    for (const [site, end] of ends) {
      const chain = kept.get(site);
      if (chain?.end === end) known.set(site, chain.links);
    }
    const missing = [...ends.keys()].filter((site) => !known.has(site));
    for (const [site, links] of await readLinks(queries, missing, size)) {
      known.set(site, links);
      keep(site, { end: ends.get(site) ?? '', links });
    }
    return known;
  };
}

/** Site → how many receipts it has among the first `size` entries, and the last of them. */
async function endsOf(queries: Queries, sites: readonly string[], size: number): Promise<ReadonlyMap<string, string>> {
  const ends = new Map<string, string>();
  for (const { marks, values } of inLists(sites)) {
    const rows = await queries.all(endsSql(marks), ...values, size);
    for (const row of rows) ends.set(textAt(row, 'site'), `${integerAt(row, 'count')} ${integerAt(row, 'last')}`);
  }
  return ends;
}

const endsSql = (marks: string): string =>
  `SELECT site, count(*) AS count, max(idx) AS last FROM receipt WHERE site IN (${marks}) AND idx < ? GROUP BY site`;

async function readLinks(queries: Queries, sites: readonly string[], size: number): Promise<ReadonlyMap<string, readonly ReceiptLink[]>> {
  const rows: Row[] = [];
  for (const { marks, values } of inLists(sites)) rows.push(...(await queries.all(linksOf(marks), ...values, size)));
  const artifacts = await namesOf(queries, DIGESTS, idsIn(rows, ['artifact', 'previous']));
  const keys = await namesOf(queries, KEYS, idsIn(rows, ['key']));
  const digests = new Map([...artifacts].map(([id, name]) => [id, digestFromHex(name)]));
  const digestAt = (row: Row, column: string): Digest | null => digests.get(integerOrNullAt(row, column) ?? -1) ?? null;
  const chains = new Map<string, ReceiptLink[]>();
  for (const row of rows) {
    const site = textAt(row, 'site');
    const links = chains.get(site) ?? [];
    chains.set(site, links);
    links.push({
      index: integerAt(row, 'idx'),
      seq: integerAt(row, 'seq'),
      keyId: keys.get(integerAt(row, 'key')) ?? '',
      event: textAt(row, 'event'),
      release: digestAt(row, 'artifact'),
      previous: digestAt(row, 'previous'),
      at: textAt(row, 'at'),
      follows: integerAt(row, 'follows') === 1,
    });
  }
  return chains;
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
