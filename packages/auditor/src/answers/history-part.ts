/**
 * A part of what a site told, for questions over all sites: which receipts it needs is found by the ledger's projection, and only those are read,
 * verified and cited. That is for chains in which nothing is odd: by their rows each receipt is signed by the site's one key and names the one before.
 * Any other history is read whole, for the doubts that lie in it. As everywhere, what the projection leaves out is found by `audit verify` alone.
 */
import type { LedgerEntry, ReceiptLink, SiteRecord } from '@sealane/ledger';
import { type Digest } from '@sealane/core';
import type { SiteRecordPredicate } from '@sealane/trust';
import { addEvidence, type Evidence, startEvidence } from './answer.js';
import type { Fact } from './facts.js';
import { groupBy } from './group-by.js';
import { type Inquiry, isBy } from './inquiry.js';
import { receiptsAmong, type ReceiptTold, recordsAt } from './receipts.js';
import { checkSignatures } from './signatures.js';
import { type Run, runsOf, siteHistory, retiredAt } from './site-history.js';

/** What a question reads of a site: `receipts` are at least those that it chose, in the order of the chain. */
export interface HistoryPart {
  readonly site: string;
  readonly record: Fact<SiteRecordPredicate>;
  readonly receipts: readonly ReceiptTold[];
  readonly retiredAt: string | null;
}

/** Chooses of a chain, of which only what was told by the time that is asked about is there; whether that was enough shows once it is read. */
export interface Choice {
  readonly of: (chain: readonly ReceiptLink[]) => readonly ReceiptLink[];
  readonly isEnough?: (receipts: readonly ReceiptTold[], chain: readonly ReceiptLink[]) => boolean;
}

/** Which sites: those whose last record puts them into the stage, or the one. */
export interface WhichSites {
  readonly stage?: string | undefined;
  readonly site?: string | undefined;
}

/** Sites that are looked at together: of each all links of its chain are in memory meanwhile. */
const SITES_AT_A_TIME = 64;

/** These parts of the histories of sites, in the order in which they were enrolled. */
export async function historyParts(inquiry: Inquiry, choose: Choice, which: WhichSites = {}): Promise<readonly HistoryPart[]> {
  const parts: HistoryPart[] = [];
  const sites = [...groupBy(await inquiry.context.ledger.sites(which.site), ({ site }) => site)];
  for (let at = 0; at < sites.length; at += SITES_AT_A_TIME) {
    const known = await knownSites(inquiry, sites.slice(at, at + SITES_AT_A_TIME), which.stage);
    const chains = await chainsOf(inquiry, known, choose);
    for (const site of known) {
      addEvidence(inquiry.evidence, site.evidence);
      const part = await partOf(inquiry, site, chains, choose);
      if (part !== undefined) parts.push(part);
    }
  }
  return parts;
}

/** A site by its records, with what these brought to light; `record`: the one of the time, where it puts the site among those that are asked about. */
interface KnownSite {
  readonly site: string;
  readonly records: readonly Fact<SiteRecordPredicate>[];
  readonly record: Fact<SiteRecordPredicate> | undefined;
  readonly evidence: Evidence;
}

async function knownSites(
  inquiry: Inquiry,
  sites: readonly (readonly [site: string, rows: readonly SiteRecord[]])[],
  stage: string | undefined,
): Promise<readonly KnownSite[]> {
  const entries = await entriesOf(
    inquiry,
    sites.flatMap(([, rows]) => rows.map(({ index }) => index)),
  );
  const known: KnownSite[] = [];
  for (const [site, rows] of sites) {
    // told in its turn: doubts come site by site
    const evidence = startEvidence();
    const records = await recordsAt(
      { ...inquiry, evidence },
      site,
      rows.flatMap(({ index }) => entries.get(index) ?? []),
    );
    const record = records.filter(({ at }) => isBy(inquiry, at)).at(-1);
    known.push({ site, records, evidence, record: stage === undefined || record?.said.stage === stage ? record : undefined });
  }
  return known;
}

/** The chain of a site in which nothing is odd, and what was chosen of it: links, and the entries and rows of these. */
interface Chain {
  readonly links: readonly ReceiptLink[];
  readonly chosen: readonly ReceiptLink[];
}

/** The plain ones of the chains of sites, and what was chosen of them all. */
interface Chains {
  readonly bySite: ReadonlyMap<string, Chain>;
  readonly entries: ReadonlyMap<number, LedgerEntry>;
  /** By entry: what the row of a receipt says of the one before it. */
  readonly prev: ReadonlyMap<number, Digest | null>;
}

async function chainsOf(inquiry: Inquiry, known: readonly KnownSite[], choose: Choice): Promise<Chains> {
  const { ledger } = inquiry.context;
  const asked = known.filter(({ record }) => record !== undefined);
  const links = await ledger.receiptLinks(asked.map(({ site }) => site));
  const bySite = new Map<string, Chain>();
  for (const { site, records } of asked) {
    const all = links.get(site) ?? [];
    if (!isPlain(all, records)) continue;
    const told = all.filter(({ at }) => isBy(inquiry, at));
    bySite.set(site, { links: told, chosen: choose.of(told) });
  }
  const indexes = [...bySite.values()].flatMap(({ chosen }) => chosen.map(({ index }) => index));
  const prev = new Map((await ledger.receiptsAt(indexes)).map((row) => [row.index, row.prev]));
  return { bySite, prev, entries: await entriesOf(inquiry, indexes) };
}

/** Entries by their place, their signatures checked side by side. */
async function entriesOf({ context }: Inquiry, indexes: readonly number[]): Promise<ReadonlyMap<number, LedgerEntry>> {
  const entries = await context.ledger.entriesAt(indexes);
  await checkSignatures(entries);
  return new Map(entries.map((entry) => [entry.index, entry]));
}

async function partOf(
  inquiry: Inquiry,
  { site, records, record }: KnownSite,
  { bySite, entries, prev }: Chains,
  { isEnough }: Choice,
): Promise<HistoryPart | undefined> {
  if (record === undefined) return undefined;
  const chain = bySite.get(site);
  if (chain === undefined) return await siteHistory(inquiry, site);
  const { links, chosen } = chain;
  const among = chosen.flatMap(({ index }) => entries.get(index) ?? []).sort((left, right) => left.index - right.index);
  const receipts = await receiptsAmong(inquiry, { site, records, entries: among });
  // one of them is a doubt, or signed something else than its row says: the rest is looked at too
  const areTold = chosen.length === receipts.length && chosen.every((link, place) => isTold(link, prev, receipts[place]));
  if (!areTold || isEnough?.(receipts, links) === false) return await siteHistory(inquiry, site);
  return { site, record, receipts, retiredAt: await retiredAt(inquiry, record.said.key.id) };
}

/** Whether a site has had one key, and its receipts are one chain from the first on, each told after the one before. */
function isPlain(links: readonly ReceiptLink[], records: readonly Fact<SiteRecordPredicate>[]): boolean {
  const [key, ...more] = new Set(records.map(({ said }) => said.key.id));
  if (more.length > 0) return false;
  return links.every(({ index, seq, keyId, at, follows }, place) => {
    const before = links[place - 1];
    if (keyId !== key || seq !== place + 1) return false;
    return before === undefined || (follows && before.index < index && before.at <= at);
  });
}

/** Whether what was signed is what the rows say that the choice was made by. */
function isTold(link: ReceiptLink, prev: Chains['prev'], receipt: ReceiptTold | undefined): boolean {
  const { index, seq, event, release, previous, at } = link;
  const told = receipt?.index === index && receipt.seq === seq && receipt.prev === prev.get(index) && receipt.at === at;
  return told && receipt.event === event && receipt.release === release && receipt.previous === previous;
}

/** What is told last, from the last receipt on after which its release ran: all that says what runs now, and since when. */
export const lastTold: Choice = {
  of: (chain) => {
    const began = chain.findLastIndex(({ event }) => event === 'installed' || event === 'rollback' || event === 'retired');
    return chain.slice(Math.max(0, began));
  },
};

/** What runs now, of a part that has what was told last. */
export function runsNow({ receipts }: HistoryPart): Run | undefined {
  return runsOf(receipts).at(-1);
}

/** The sites that are ones still. */
export function stillSites(parts: readonly HistoryPart[]): readonly HistoryPart[] {
  return parts.filter((part) => part.retiredAt === null);
}
