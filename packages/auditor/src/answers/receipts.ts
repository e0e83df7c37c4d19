/** What sites told: their receipts as they signed them, each verified by a key that the registrar gave to its site. */
import { type Digest, PREDICATE, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type ReceiptPredicate, type SiteRecordPredicate, verifyLedgerRow, type VerifyTrust, verifyTrustOf } from '@sealane/trust';
import { citeEntry, doubt } from './answer.js';
import { enrolledTrust, sameItems } from './enrolled.js';
import { FACT, readReceiptOnce } from './fact-kinds.js';
import { type Fact, factsIn, lastPolicy } from './facts.js';
import { groupBy } from './group-by.js';
import { type Inquiry, isBy } from './inquiry.js';
import { textAt } from './json-at.js';
import { checkSignatures, knownDigest, knownSignatures } from './signatures.js';

/** A receipt, and where it comes from. `keyId` is who signed it. */
export type ReceiptTold = ReceiptPredicate & { readonly index: number; readonly statementDigest: Digest };

/** The registrar's records of a site, whenever they were said: a key that was given later speaks for its site all the same. */
export async function recordsOf(inquiry: Inquiry, site: string): Promise<readonly Fact<SiteRecordPredicate>[]> {
  const { ledger } = inquiry.context;
  return await recordsAt(inquiry, site, await ledger.entriesAt((await ledger.sites(site)).map(({ index }) => index)));
}

/** Those among entries, as `recordsOf`. */
export async function recordsAt(
  inquiry: Inquiry,
  site: string,
  entries: readonly LedgerEntry[],
): Promise<readonly Fact<SiteRecordPredicate>[]> {
  return (await factsIn({ ...inquiry, asOf: undefined }, FACT.siteRecord, entries)).filter(({ said }) => said.site === site);
}

/** The receipts among entries, whichever sites they are of, in log order. */
export async function receiptsIn(inquiry: Inquiry, entries: readonly LedgerEntry[]): Promise<readonly ReceiptTold[]> {
  const receipts = entries.filter(({ statement }) => statement.predicateType === PREDICATE.receipt);
  const told: ReceiptTold[] = [];
  for (const [site, some] of groupBy(receipts, ({ statement }) => textAt(statement.predicate, 'site')))
    told.push(...(await receiptsFrom(inquiry, some, site, await recordsOf(inquiry, site))));
  return told.sort((left, right) => left.index - right.index);
}

/** The receipts of a site by the time that is asked about, each cited, as the log has them; one that its site did not sign is a doubt. */
export async function receiptsOf(
  inquiry: Inquiry,
  site: string,
  records: readonly Fact<SiteRecordPredicate>[],
): Promise<readonly ReceiptTold[]> {
  const { ledger } = inquiry.context;
  const entries = await ledger.entriesAt(await ledger.receiptIndexes(site));
  return await receiptsFrom(inquiry, entries, site, records);
}

/** The receipts of a site among entries that were told by then, in the order of their numbers; each is cited, or a doubt. */
export async function receiptsAmong(
  inquiry: Inquiry,
  {
    site,
    records,
    entries,
  }: { readonly site: string; readonly records: readonly Fact<SiteRecordPredicate>[]; readonly entries: readonly LedgerEntry[] },
): Promise<readonly ReceiptTold[]> {
  const told = await receiptsFrom(inquiry, entries, site, records);
  return [...told].sort((left, right) => left.seq - right.seq);
}

/** Those among entries, in their order; each is cited, or a doubt. */
export async function receiptsFrom(
  inquiry: Inquiry,
  entries: readonly LedgerEntry[],
  site: string,
  records: readonly Fact<SiteRecordPredicate>[],
): Promise<readonly ReceiptTold[]> {
  await checkSignatures(entries);
  const { trust, keys } = tellersOf(inquiry, records);
  return entries.flatMap((entry) => receiptIn(inquiry, { entry, site, trust, keys }) ?? []);
}

/** Who may tell of a site by its records: the keys that the registrar gave it, and a trust that knows them. */
export function tellersOf({ context }: Inquiry, records: readonly Fact<SiteRecordPredicate>[]): Pick<Wanted, 'trust' | 'keys'> {
  const trust = enrolledTrust(
    verifyTrustOf(lastPolicy(context)),
    records.map((record) => record.verified),
  );
  return { trust, keys: [...new Set(records.map(({ said }) => said.key.id))] };
}

interface Wanted {
  readonly entry: LedgerEntry;
  readonly site: string;
  readonly trust: VerifyTrust;
  readonly keys: readonly string[];
}

function receiptIn(inquiry: Inquiry, wanted: Wanted): ReceiptTold | undefined {
  const { evidence, context } = inquiry;
  const { entry, site, keys } = wanted;
  try {
    const said = readReceiptOnce(entry.statement);
    if (!isBy(inquiry, said.at)) return undefined;
    if (said.site !== site || !keys.includes(entry.keyId)) {
      doubt(evidence, entry, 'SITE_MISMATCH', `receipt ${entry.index} is not signed by the key of any record of ${site}`);
      return undefined;
    }
    const told = toldOnce(said, wanted, context.ledger.origin);
    citeEntry(evidence, entry);
    return told;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    doubt(evidence, entry, error.code, error.message);
    return undefined;
  }
}

/** By the very entry: what it was found to tell last, and by which trust. */
const found = new WeakMap<LedgerEntry, Pick<Wanted, 'trust' | 'keys'> & { readonly told: ReceiptTold }>();

/** Verifies a receipt against those who may tell of its site. @throws as `verifyLedgerRow` */
function toldOnce(said: ReceiptPredicate, { entry, trust, keys }: Wanted, origin: string): ReceiptTold {
  const before = found.get(entry);
  if (before?.trust === trust && sameItems(before.keys, keys)) return before.told;
  // its place is proved with the answer, and no time is taken from witnesses
  const row = { ...entry, logIndex: entry.index, origin, cosigned: null };
  verifyLedgerRow(row, { trust, signers: keys, signatures: knownSignatures, digestOf: knownDigest });
  const told = { ...said, keyId: entry.keyId, index: entry.index, statementDigest: entry.statementDigest };
  found.set(entry, { trust, keys, told });
  return told;
}
