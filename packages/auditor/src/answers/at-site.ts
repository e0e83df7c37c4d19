/** What runs at a site, and what ran there at a time: the site's own receipts, joined with releases. */
import { AuditorError, type Digest } from '@sealane/core';
import { isRegistrarsWord, type ReceiptSummary } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { type Answered, type Asked, inquire } from './inquiry.js';
import { releaseNames } from './release-names.js';
import { runningNow, siteHistory } from './site-history.js';

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
  /** What the site summed up while it was cut off: how many refusals, of which numbers, when, why; `refused` has the most frequent, `others` the rest. */
  readonly summedUp: readonly (Omit<ReceiptSummary, 'runs'> & {
    readonly seq: number;
    readonly runs: readonly { readonly from: number; readonly to: number }[];
    readonly statement: Digest;
  })[];
  /** Receipts that are missing from the chain, by number: neither brought nor summed up. */
  readonly missing: readonly number[];
}

/**
 * Answers "what runs at this site?", or ran there as of a time by the site's trusted time.
 *
 * @throws AuditorError `SITE_UNKNOWN`; `USAGE` a malformed time
 */
export async function atSite(context: AuditContext, site: string, asked: Asked = {}): Promise<Answered<AtSite>> {
  return await inquire(context, `at ${site}`, asked, async (inquiry) => {
    const { ledger, policies } = inquiry.context;
    const records = await ledger.sites(site);
    // what only a stranger said of it is an answer with doubts
    const stage = (records.findLast((row) => isRegistrarsWord(policies, row)) ?? records.at(-1))?.stage;
    if (stage === undefined)
      throw new AuditorError('SITE_UNKNOWN', `ask what runs at ${site}: there is no such site in the ledger`, { site });
    const history = await siteHistory(inquiry, site);
    const current = history === undefined ? undefined : runningNow(history);
    const named = current?.release == null ? undefined : (await releaseNames(inquiry, [current.release]))(current.release);
    return {
      site,
      stage: history?.record.said.stage ?? stage,
      release: current?.release ?? null,
      name: named?.name ?? null,
      version: named?.version ?? null,
      since: current?.since ?? null,
      history: (history?.receipts ?? []).map(({ seq, event, release, previous, reason, at, statementDigest: statement }) => {
        return { seq, event, release, previous, reason, at, statement };
      }),
      summedUp: (history?.summaries ?? []).map(({ receipt: { seq, statementDigest: statement }, said: { runs, ...counts } }) => {
        return { seq, runs: runs.map(({ from, to }) => ({ from, to })), ...counts, statement };
      }),
      missing: history?.missing ?? [],
    };
  });
}
