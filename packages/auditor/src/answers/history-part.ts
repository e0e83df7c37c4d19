/**
 * A part of what a site told, for questions over all sites: which receipts it needs is found by the ledger's projection, and only those are read,
 * verified and cited. That is for chains in which nothing is odd: by their rows each receipt is signed by the site's one key and names the one before.
 * Any other history is read whole, for the doubts that lie in it. As everywhere, what the projection leaves out is found by `audit verify` alone.
 */
import type { ReceiptRecord } from '@sealane/ledger';
import type { SiteRecordPredicate } from '@sealane/trust';
import type { Fact } from './facts.js';
import { type Inquiry, isBy } from './inquiry.js';
import { receiptsAt, type ReceiptTold, recordsOf } from './receipts.js';
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
  readonly of: (chain: readonly ReceiptRecord[]) => readonly ReceiptRecord[];
  readonly isEnough?: (receipts: readonly ReceiptTold[], chain: readonly ReceiptRecord[]) => boolean;
}

/** Which sites: those whose last record puts them into the stage, or the one. */
export interface WhichSites {
  readonly stage?: string | undefined;
  readonly site?: string | undefined;
}

/** These parts of the histories of sites, in the order in which they were enrolled. */
export async function historyParts(inquiry: Inquiry, choose: Choice, which: WhichSites = {}): Promise<readonly HistoryPart[]> {
  const parts: HistoryPart[] = [];
  for (const site of new Set((await inquiry.context.ledger.sites(which.site)).map((row) => row.site))) {
    const part = await partOf(inquiry, site, choose, which.stage);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

async function partOf(inquiry: Inquiry, site: string, choose: Choice, stage: string | undefined): Promise<HistoryPart | undefined> {
  const records = await recordsOf(inquiry, site);
  const record = records.filter(({ at }) => isBy(inquiry, at)).at(-1);
  if (record === undefined || (stage !== undefined && record.said.stage !== stage)) return undefined;
  const rows = await inquiry.context.ledger.receiptsOf(site);
  if (!isPlain(rows, records)) return await siteHistory(inquiry, site);
  const chain = rows.filter(({ at }) => isBy(inquiry, at));
  const chosen = choose.of(chain);
  const receipts = await receiptsAt(inquiry, { site, records, indexes: chosen.map(({ index }) => index) });
  // one of them is a doubt, or signed something else than its row says: the rest is looked at too
  if (!areTold(receipts, chosen) || choose.isEnough?.(receipts, chain) === false) return await siteHistory(inquiry, site);
  return { site, record, receipts, retiredAt: await retiredAt(inquiry, record.said.key.id) };
}

/** Whether a site has had one key, and its receipts are one chain from the first on, each told after the one before. */
function isPlain(rows: readonly ReceiptRecord[], records: readonly Fact<SiteRecordPredicate>[]): boolean {
  const [key, ...more] = new Set(records.map(({ said }) => said.key.id));
  if (more.length > 0) return false;
  return rows.every(({ index, seq, prev, keyId, at }, place) => {
    const before = rows[place - 1];
    if (keyId !== key || seq !== place + 1) return false;
    return before === undefined || (prev === before.statementDigest && before.index < index && before.at <= at);
  });
}

/** Whether what was signed is what the rows say that the choice was made by. */
function areTold(receipts: readonly ReceiptTold[], rows: readonly ReceiptRecord[]): boolean {
  return rows.length === receipts.length && rows.every((row, place) => isTold(row, receipts[place]));
}

function isTold(row: ReceiptRecord, receipt: ReceiptTold | undefined): boolean {
  const { index, seq, prev, event, release, previous, at } = row;
  const told = receipt?.index === index && receipt.seq === seq && receipt.prev === prev && receipt.at === at;
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
