/** What runs at a site, and what ran there at a time: the site's own receipts, joined with releases. */
import { AuditorError, type Digest } from '@sealane/core';
import { receipts, releases, sites } from '@sealane/ledger';
import { isTime, readReceipt } from '@sealane/trust';
import { type Answer, type AuditContext, Evidence, policyOf } from './context.js';
import { isOwnReceipt } from './trace.js';

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
export function atSite(context: AuditContext, site: string, asOf?: string): Answer<AtSite & { readonly doubts: Evidence['doubts'] }> {
  if (asOf !== undefined && !isTime(asOf)) throw new AuditorError('USAGE', `read --as-of: expected a time such as 2026-11-24T10:00:00Z, got ${asOf}`);
  const record = sites(context.ledger, site).at(-1);
  if (record === undefined) throw new AuditorError('SITE_UNKNOWN', `ask what runs at ${site}: there is no such site in the ledger`, { site });
  const evidence = new Evidence(context);
  const policy = policyOf(context, record.stage);
  evidence.verify(context.ledger.entry(record.index), policy, policy.registrar);
  const history = historyOf(context, evidence, site, record.siteKey).filter(({ at }) => asOf === undefined || at <= asOf);
  const current = runningAfter(history);
  const release = releases(context.ledger).find(({ digest }) => digest === current?.release);
  return evidence.close(asOf === undefined ? `at ${site}` : `at ${site} as of ${asOf}`, {
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

function historyOf(context: AuditContext, evidence: Evidence, site: string, siteKey: string): History {
  return receipts(context.ledger, { site })
    .filter(({ keyId }) => keyId === siteKey)
    .map(({ index }) => context.ledger.entry(index))
    .filter((entry) => isOwnReceipt(context, entry))
    .map((entry) => {
      evidence.citations.push({ digest: entry.statementDigest, logIndex: entry.index });
      const { seq, event, release, previous, reason, at } = readReceipt(entry.statement);
      return { seq, event, release, previous, reason, at, statement: entry.statementDigest };
    })
    .sort((a, b) => a.seq - b.seq);
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
