/** What runs at a site, and what ran there at a time: the site's own receipts, joined with releases. */
import { AuditorError, type Digest } from '@sealane/core';
import { isTime, readReceipt } from '@sealane/trust';
import {
  type Answer,
  type AuditContext,
  cite,
  closeAnswer,
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
  const record = (await context.ledger.sites(site)).at(-1);
  if (record === undefined)
    throw new AuditorError('SITE_UNKNOWN', `ask what runs at ${site}: there is no such site in the ledger`, { site });
  const evidence = startEvidence();
  const policy = policyOf(context, record.stage);
  await cite(context, evidence, await context.ledger.entry(record.index), policy, policy.registrar);
  const history = (await historyOf(context, evidence, site, record.siteKeyId)).filter(({ at }) => asOf === undefined || at <= asOf);
  const current = runningAfter(history);
  const release = (await context.ledger.releases()).find((row) => row.release === current?.release);
  return await closeAnswer(context, evidence, asOf === undefined ? `at ${site}` : `at ${site} as of ${asOf}`, {
    site,
    stage: record.stage,
    release: current?.release ?? null,
    name: release?.name ?? null,
    version: release?.version ?? null,
    since: current?.at ?? null,
    history,
    missing: gaps(history.map(({ seq }) => seq)),
  });
}

type History = AtSite['history'];

/** The chain of the site's key in force. */
async function historyOf(context: AuditContext, evidence: Evidence, site: string, siteKey: string): Promise<History> {
  const history: AtSite['history'][number][] = [];
  for (const { index, keyId } of await context.ledger.receiptsOf(site)) {
    if (keyId !== siteKey) continue;
    const entry = await context.ledger.entry(index);
    evidence.citations.push({ digest: entry.statementDigest, logIndex: index });
    const { seq, event, release, previous, reason, at } = readReceipt(statementOf(entry));
    history.push({ seq, event, release, previous, reason, at, statement: entry.statementDigest });
  }
  return history.sort((a, b) => a.seq - b.seq);
}

/** Installed and rolled back by hand: its release runs. Rolled back by itself: the previous one runs again. Refused: nothing changed. */
function runningAfter(history: History): { readonly release: Digest | null; readonly at: string } | undefined {
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
