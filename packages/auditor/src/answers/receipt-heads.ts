/** What is left of a receipt when its inventory is not asked for: a question over many sites asks of more receipts than are kept of statements. */
import type { LedgerEntry } from '@sealane/ledger';
import type { SiteRecordPredicate, VerifyTrust } from '@sealane/trust';
import { sameItems } from './enrolled.js';
import type { Fact } from './facts.js';
import { type Inquiry, isBy } from './inquiry.js';
import { receiptsFrom, type ReceiptTold, tellersOf } from './receipts.js';
import { bytesOf, type EntryBytes } from './signatures.js';

/** A receipt as a link of its chain, and what it says of what runs. */
export type ReceiptHead = Pick<
  ReceiptTold,
  'seq' | 'prev' | 'event' | 'release' | 'previous' | 'at' | 'summary' | 'keyId' | 'index' | 'statementDigest'
>;

/** A receipt that counted, and whose word that was: as long as these are the same it does. */
interface Kept {
  readonly site: string;
  readonly trust: VerifyTrust;
  readonly keys: readonly string[];
  readonly head: ReceiptHead;
  readonly bytes: EntryBytes;
}

/** Heads that are kept of one ledger: some 700 bytes each. */
const MAX_KEPT = 25_000;

/** By what the ledger remembers, and by entry. */
const kept = new WeakMap<object, Map<number, Kept>>();

/** As `receiptsOf`, of which only the heads are given: those that were found to count on the same ground are not read again. */
export async function receiptHeads(
  inquiry: Inquiry,
  site: string,
  records: readonly Fact<SiteRecordPredicate>[],
): Promise<readonly ReceiptHead[]> {
  const { ledger } = inquiry.context;
  const { trust, keys } = tellersOf(inquiry, records);
  const counts = (one: Kept | undefined): one is Kept => one?.site === site && one.trust === trust && sameItems(one.keys, keys);
  const known = kept.get(ledger.memory()) ?? new Map<number, Kept>();
  kept.set(ledger.memory(), known);
  const indexes = [...(await ledger.receiptIndexes(site))].sort((left, right) => left - right);
  const there = indexes.map((index) => known.get(index)).filter(counts);
  if (there.length < indexes.length) {
    // a site of which any receipt is new, or does not count, is read whole
    const entries = await ledger.entriesAt(indexes);
    const heads = (await receiptsFrom(inquiry, entries, site, records)).map(headOf);
    keep(known, { entries, heads, by: { site, trust, keys } });
    return heads;
  }
  const told = there.filter(({ head }) => isBy(inquiry, head.at));
  for (const { head, bytes } of told) inquiry.evidence.citations.push({ digest: head.statementDigest, logIndex: head.index, bytes });
  return told.map(({ head }) => head);
}

function headOf({ seq, prev, event, release, previous, at, summary, keyId, index, statementDigest }: ReceiptTold): ReceiptHead {
  return { seq, prev, event, release, previous, at, ...(summary === undefined ? {} : { summary }), keyId, index, statementDigest };
}

interface Found {
  readonly entries: readonly LedgerEntry[];
  readonly heads: readonly ReceiptHead[];
  readonly by: Pick<Kept, 'site' | 'trust' | 'keys'>;
}

function keep(known: Map<number, Kept>, { entries, heads, by }: Found): void {
  if (known.size + heads.length > MAX_KEPT) known.clear();
  const byIndex = new Map(heads.map((head) => [head.index, head]));
  for (const entry of entries) {
    const head = byIndex.get(entry.index);
    // what sums up others may be long
    if (head !== undefined && head.summary === undefined && known.size < MAX_KEPT)
      known.set(entry.index, { ...by, head, bytes: bytesOf(entry) });
  }
}
