/** The sites whose inventories may name a piece of hardware: by what the projection keeps of them, which is all but serials, and for those by the bytes of receipts. */
import type { FoundHardware } from '@sealane/core';
import { inLists } from '../store/in-list.js';
import { integerAt, integerOrNullAt, textAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { hardwareIn, objectIn } from './fleet.js';

/** What is looked for: what an inventory without serials says, or bytes that a receipt holds in which a serial says it; both follow from the word. */
export interface HardwareSought {
  readonly word: string;
  readonly isNamed: (hardware: FoundHardware) => boolean;
  readonly bytes: Uint8Array;
}

/** The sites, in no order, and some of them twice. */
export type SitesNaming = (sought: HardwareSought) => Promise<readonly string[]>;

const KINDS = 'SELECT id, body FROM document WHERE id IN (SELECT hardware FROM receipt WHERE idx > ? AND idx <= ?)';

/** A receipt whose payload is elsewhere may hold anything. */
const HOLDING = `SELECT DISTINCT r.site FROM receipt r LEFT JOIN envelope v ON v.idx = r.idx
  WHERE r.idx > ? AND r.idx <= ? AND (v.idx IS NULL OR instr(v.payload, ?) > 0)`;

/** Where payloads are not beside the projection, any receipt may hold it. */
const ANY = 'SELECT DISTINCT site FROM receipt';

/** The last receipt, and whether payloads ever went to an archive: what is not here today may be tomorrow. */
const LAST = 'SELECT max(idx) AS last, (SELECT max(id) FROM archive_pack) AS packed FROM receipt';

/** What was found up to a place in the log. */
interface KeptSites {
  readonly end: number;
  readonly sites: readonly string[];
}

/** Words of which it is kept which sites name them; where more sites name one it is looked for each time. */
const MAX_WORDS = 1000;
const MAX_SITES = 1000;

/** Looks through the receipts that came since a word was last looked for: no receipt changes. */
export function keptSites(queries: Queries, payloads: 'beside' | 'elsewhere'): SitesNaming {
  const kept = new Map<string, KeptSites>();
  return async (sought) => {
    if (payloads === 'elsewhere') return (await queries.all(ANY)).map(siteIn);
    const row = (await queries.get(LAST)) ?? {};
    const end = integerOrNullAt(row, 'last') ?? -1;
    const before = integerOrNullAt(row, 'packed') === null ? kept.get(sought.word) : undefined;
    const sites = new Set(before?.sites);
    const part = { after: before?.end ?? -1, end };
    if (part.after < end) for (const site of await sitesIn(queries, sought, part)) sites.add(site);
    if (kept.size >= MAX_WORDS) kept.clear();
    if (sites.size <= MAX_SITES) kept.set(sought.word, { end, sites: [...sites] });
    return [...sites];
  };
}

/** A part of the log: entries after one, to another. */
interface Part {
  readonly after: number;
  readonly end: number;
}

async function sitesIn(queries: Queries, sought: HardwareSought, part: Part): Promise<readonly string[]> {
  const holding = await queries.all(HOLDING, part.after, part.end, sought.bytes);
  return [...holding.map(siteIn), ...(await sitesOfKinds(queries, sought, part))];
}

async function sitesOfKinds(queries: Queries, { isNamed }: HardwareSought, { after, end }: Part): Promise<readonly string[]> {
  const found: Row[] = [];
  const kinds = (await queries.all(KINDS, after, end)).filter((row) => isNamed(hardwareIn(objectIn(textAt(row, 'body')))));
  for (const { marks, values } of inLists(kinds.map((row) => integerAt(row, 'id'))))
    found.push(...(await queries.all(`SELECT DISTINCT site FROM receipt WHERE hardware IN (${marks})`, ...values)));
  return found.map(siteIn);
}

const siteIn = (row: Row): string => textAt(row, 'site');
