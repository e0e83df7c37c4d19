/** What runs at a site, and what ran there at a time: the site's own receipts, joined with releases. */
import { AuditorError, type Digest } from '@sealane/core';
import type { LedgerEntry, SiteRecord } from '@sealane/ledger';
import { isTime, readReceipt, type ReceiptPredicate } from '@sealane/trust';
import {
  type Answer,
  type AuditContext,
  cite,
  closeAnswer,
  doubt,
  type Doubt,
  type Evidence,
  policyOf,
  startEvidence,
  statementOf,
} from './context.js';

export interface AtSite {
  readonly site: string;
  readonly stage: string;
  /** The release that ran at the time asked for; null when the site had installed none yet. */
  readonly release: Digest | null;
  readonly name: string | null;
  readonly version: string | null;
  readonly since: string | null;
  readonly history: readonly {
    readonly seq: number;
    readonly event: string;
    readonly release: Digest | null;
    readonly previous: Digest | null;
    readonly reason: string | null;
    readonly at: string;
    readonly statement: Digest;
  }[];
  /** Receipts that are missing from the chain, by number. */
  readonly missing: readonly number[];
}

/**
 * Answers "what runs at this site?", or ran there at `asOf` by the site's trusted time.
 *
 * @throws AuditorError `SITE_UNKNOWN`; `USAGE` a malformed time
 */
export async function atSite(
  context: AuditContext,
  site: string,
  asOf?: string,
): Promise<Answer<AtSite & { readonly doubts: readonly Doubt[] }>> {
  if (asOf !== undefined && !isTime(asOf))
    throw new AuditorError('USAGE', `read --as-of: expected a time such as 2026-11-24T10:00:00Z, got ${asOf}`);
  const records = await context.ledger.sites(site);
  const record = records.at(-1);
  if (record === undefined)
    throw new AuditorError('SITE_UNKNOWN', `ask what runs at ${site}: there is no such site in the ledger`, { site });
  const evidence = startEvidence();
  const keys = await keysOf(context, evidence, records);
  const receipts = (await receiptsOf(context, evidence, site, keys)).filter(({ at }) => asOf === undefined || at <= asOf);
  doubtChain(evidence, receipts);
  const current = runningAfter(receipts);
  const release = (await context.ledger.releases()).find((row) => row.release === current?.release);
  return await closeAnswer(context, evidence, asOf === undefined ? `at ${site}` : `at ${site} as of ${asOf}`, {
    site,
    stage: record.stage,
    release: current?.release ?? null,
    name: release?.name ?? null,
    version: release?.version ?? null,
    since: current?.at ?? null,
    history: receipts.map(({ seq, event, release: of, previous, reason, at, entry }) => {
      return { seq, event, release: of, previous, reason, at, statement: entry.statementDigest };
    }),
    missing: keys.flatMap((key) => gaps(receipts.filter(({ entry }) => entry.keyId === key).map(({ seq }) => seq))),
  });
}

type History = AtSite['history'];

/** A receipt, and the entry that it came in. */
type Receipt = ReceiptPredicate & { readonly entry: LedgerEntry };

/** The keys that the registrar gave to a site, in the order in which it was enrolled: each has a chain of its own. */
async function keysOf(context: AuditContext, evidence: Evidence, records: readonly SiteRecord[]): Promise<readonly string[]> {
  const keys: string[] = [];
  for (const { index, stage, siteKeyId } of records) {
    const policy = policyOf(context, stage);
    const isGood = await cite(context, evidence, await context.ledger.entry(index), policy, policy.registrar);
    if (isGood && !keys.includes(siteKeyId)) keys.push(siteKeyId);
  }
  return keys;
}

/** Receipts by the site's own keys, chain after chain; one by any other key is a doubt. */
async function receiptsOf(context: AuditContext, evidence: Evidence, site: string, keys: readonly string[]): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = [];
  for (const { index } of await context.ledger.receiptsOf(site)) {
    const entry = await context.ledger.entry(index);
    if (keys.includes(entry.keyId)) {
      evidence.citations.push({ digest: entry.statementDigest, logIndex: index });
      receipts.push({ ...readReceipt(statementOf(entry)), entry });
    } else doubt(evidence, entry, 'SITE_MISMATCH', `receipt ${index} is not signed by the key of any record of ${site}`);
  }
  const place = ({ entry }: Receipt): number => keys.indexOf(entry.keyId);
  return receipts.sort((a, b) => place(a) - place(b) || a.seq - b.seq || a.entry.index - b.entry.index);
}

/** A chain has one receipt of a number, and each names the one before: else two hosts write with one key, or one forgets. */
function doubtChain(evidence: Evidence, receipts: readonly Receipt[]): void {
  for (const [at, { entry, seq, prev }] of receipts.entries()) {
    const before = receipts[at - 1];
    if (before?.entry.keyId !== entry.keyId) continue;
    if (before.seq === seq)
      doubt(evidence, entry, 'SITE_MISMATCH', `receipt ${entry.index} is a second one of the number ${seq}: the chain forks`);
    else if (before.seq === seq - 1 && before.entry.statementDigest !== prev)
      doubt(
        evidence,
        entry,
        'SITE_MISMATCH',
        `receipt ${entry.index} names another receipt before it than number ${before.seq}: the chain forks`,
      );
  }
}

/** Installed and rolled back by hand: its release runs. Rolled back by itself: the previous one runs again. Refused: nothing changed. */
function runningAfter(
  history: readonly Pick<History[number], 'event' | 'release' | 'previous' | 'at'>[],
): { readonly release: Digest | null; readonly at: string } | undefined {
  return history.reduce<{ release: Digest | null; at: string } | undefined>((running, { event, release, previous, at }) => {
    if (event === 'installed' || event === 'rollback') return { release, at };
    if (event === 'rolled-back') return running?.release === previous ? running : { release: previous, at };
    return running;
  }, undefined);
}

/** Numbers that are missing before the highest one; a chain starts at the number of its first receipt, 0 or 1. */
function gaps(numbers: readonly number[]): readonly number[] {
  const have = new Set(numbers);
  const last = numbers.at(-1) ?? 0;
  return Array.from({ length: last }, (_, n) => n + 1).filter((number) => !have.has(number));
}
