/** What a site told of itself: its records by the registrar, its receipts chain after chain, and the intervals in which it ran each release. */
import { type Digest } from '@sealane/core';
import { keySubject, type SiteRecordPredicate } from '@sealane/trust';
import { doubt } from './answer.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { type Inquiry, isBy } from './inquiry.js';
import { type ReceiptHead, receiptHeads } from './receipt-heads.js';
import { receiptsOf, type ReceiptTold, recordsOf } from './receipts.js';
import { summariesOf, type SummaryTold } from './summaries.js';

/** A release that ran at a site: from the receipt that says so until the next that says otherwise; `until` null: it runs still. */
export interface Run {
  readonly release: Digest | null;
  readonly since: string;
  readonly until: string | null;
  readonly statement: Digest;
  readonly logIndex: number;
}

/** The history of one site, of receipts or of their heads. `record` is the registrar's last word on it; `missing` are numbers of receipts that nobody brought, and that none stands for. */
export interface SiteHistory<R extends ReceiptHead = ReceiptTold> {
  readonly site: string;
  readonly record: Fact<SiteRecordPredicate>;
  readonly receipts: readonly R[];
  readonly runs: readonly Run[];
  readonly missing: readonly number[];
  readonly summaries: readonly SummaryTold[];
  /** Since when the registrar says that it is a site no more; null: it is one. */
  readonly retiredAt: string | null;
}

/** The history of a site, or undefined for one that no record by the registrar names by then. */
export async function siteHistory(inquiry: Inquiry, site: string): Promise<SiteHistory | undefined> {
  return await historyBy(inquiry, site, receiptsOf);
}

/** How the receipts of a site are read: whole, or their heads alone. */
type ReadReceipts<R extends ReceiptHead> = (
  inquiry: Inquiry,
  site: string,
  records: readonly Fact<SiteRecordPredicate>[],
) => Promise<readonly R[]>;

async function historyBy<R extends ReceiptHead>(
  inquiry: Inquiry,
  site: string,
  read: ReadReceipts<R>,
): Promise<SiteHistory<R> | undefined> {
  const records = await recordsOf(inquiry, site);
  // it is the stage and labels that are those of the time
  const record = records.filter(({ at }) => isBy(inquiry, at)).at(-1);
  const keys = [...new Set(records.map(({ said }) => said.key.id))];
  const receipts = inOrder(inquiry, await read(inquiry, site, records), keys);
  if (record === undefined) return undefined;
  const summaries = summariesOf(inquiry, receipts);
  const missing = keys.flatMap((key) => gaps(receipts, summaries, key));
  const retired = await retiredAt(inquiry, record.said.key.id);
  return { site, record, receipts, runs: runsOf(receipts), missing, summaries, retiredAt: retired };
}

/** A site that is enrolled anew has another key, and is one again. */
export async function retiredAt(inquiry: Inquiry, keyId: string): Promise<string | null> {
  const words = await factsIn(
    inquiry,
    FACT.retirement,
    await inquiry.context.ledger.statementsAbout(keySubject(keyId), FACT.retirement.type),
  );
  return words.find(({ said }) => said.keyId === keyId)?.at ?? null;
}

/** The histories of every site, or of those whose last record puts them into a stage; in the order in which they were enrolled. */
export async function siteHistories(inquiry: Inquiry, stage?: string): Promise<readonly SiteHistory[]> {
  const names = new Set((await inquiry.context.ledger.sites()).map(({ site }) => site));
  return await historiesOf(inquiry, [...names], stage);
}

/** The histories of the sites that may have run one of these releases, by what they told or by what is missing of it: of heads alone, since these are many. */
export async function historiesAbout(inquiry: Inquiry, releases: readonly Digest[]): Promise<readonly SiteHistory<ReceiptHead>[]> {
  return await historiesBy(inquiry, await inquiry.context.ledger.sitesAbout(releases), receiptHeads);
}

/** The histories of these sites, or of those of them in a stage. */
export async function historiesOf(inquiry: Inquiry, names: readonly string[], stage?: string): Promise<readonly SiteHistory[]> {
  const histories = await historiesBy(inquiry, names, receiptsOf);
  return histories.filter(({ record }) => stage === undefined || record.said.stage === stage);
}

async function historiesBy<R extends ReceiptHead>(
  inquiry: Inquiry,
  names: readonly string[],
  read: ReadReceipts<R>,
): Promise<readonly SiteHistory<R>[]> {
  const histories: SiteHistory<R>[] = [];
  for (const name of names) {
    const history = await historyBy(inquiry, name, read);
    if (history !== undefined) histories.push(history);
  }
  return histories;
}

/** What runs now: the last interval, where a site has any. */
export function runningNow({ runs }: SiteHistory): Run | undefined {
  return runs.at(-1);
}

/** Chain after chain by number; a chain that forks is a doubt. */
function inOrder<R extends ReceiptHead>(inquiry: Inquiry, receipts: readonly R[], keys: readonly string[]): readonly R[] {
  const place = ({ keyId }: ReceiptHead): number => keys.indexOf(keyId);
  const sorted = [...receipts].sort((a, b) => place(a) - place(b) || a.seq - b.seq || a.index - b.index);
  doubtChain(inquiry, sorted);
  return sorted;
}

/** A chain has one receipt of a number, and each names the one before: else two hosts write with one key, or one forgets. */
function doubtChain({ evidence }: Inquiry, receipts: readonly ReceiptHead[]): void {
  for (const [at, receipt] of receipts.entries()) {
    const before = receipts[at - 1];
    if (before?.keyId !== receipt.keyId) continue;
    const fork = (why: string): void => doubt(evidence, receipt, 'SITE_MISMATCH', `receipt ${receipt.index} ${why}: the chain forks`);
    if (before.seq === receipt.seq) fork(`is a second one of the number ${receipt.seq}`);
    else if (before.seq === receipt.seq - 1 && before.statementDigest !== receipt.prev)
      fork(`names another receipt before it than number ${before.seq}`);
  }
}

/** What changed what runs; a refusal did not. */
const CHANGES: readonly string[] = ['installed', 'rollback', 'rolled-back', 'retired'];

/** Installed and rolled back by hand: its release runs. Rolled back by itself: the previous one runs again. Retired: nothing runs. */
export function runsOf(
  receipts: readonly (Pick<ReceiptHead, 'release' | 'previous' | 'at' | 'statementDigest' | 'index'> & { readonly event: string })[],
): readonly Run[] {
  const runs: Run[] = [];
  for (const { event, release, previous, at, statementDigest: statement, index: logIndex } of receipts) {
    if (!CHANGES.includes(event)) continue;
    const now = event === 'rolled-back' ? previous : release;
    const before = runs.at(-1);
    if (event === 'rolled-back' && before?.release === now) continue;
    if (before !== undefined) runs[runs.length - 1] = { ...before, until: at };
    runs.push({ release: now, since: at, until: null, statement, logIndex });
  }
  return runs;
}

/** Most missing numbers that are named: a site that signs a number of its own choosing cannot make the list as long as that. */
const MAX_MISSING = 1000;

/** Numbers below the highest one of a key's chain that nobody brought and no summary stands for: the lowest of them. */
export function gaps(receipts: readonly ReceiptHead[], summaries: readonly SummaryTold[], key: string): readonly number[] {
  const numbers = receipts.filter(({ keyId }) => keyId === key).map(({ seq }) => ({ from: seq, to: seq }));
  const highest = numbers.at(-1)?.to ?? 0;
  const runs = summaries.filter(({ receipt }) => receipt.keyId === key).flatMap(({ said }) => said.runs);
  const missing: number[] = [];
  let next = 1;
  for (const { from, to } of [...numbers, ...runs].sort((left, right) => left.from - right.from)) {
    for (; next < Math.min(from, highest + 1) && missing.length < MAX_MISSING; next += 1) missing.push(next);
    next = Math.max(next, to + 1);
  }
  return missing;
}
