/** When each site could have known that a release was revoked: from the checkpoints that its receipts name. */
import type { Digest } from '@sealane/core';
import { aboutRelease, nameOf, type NamedRelease } from './about-release.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn } from './facts.js';
import { type Answered, type Asked, inquire, witnessedAt } from './inquiry.js';
import { type Choice, type HistoryPart, historyParts } from './history-part.js';
import type { ReceiptTold } from './receipts.js';
import { runsOf } from './site-history.js';

export interface Awareness extends NamedRelease {
  readonly revocations: readonly {
    readonly reason: string;
    readonly statement: Digest;
    readonly logIndex: number;
    /** No site can have known before: witnesses saw it then. */
    readonly witnessed: string | null;
  }[];
  readonly sites: readonly {
    readonly site: string;
    readonly stage: string;
    /** The last that the site reported under a log without the revocation, and the first under one with it: it learned of it in between. */
    readonly lastUnaware: string | null;
    readonly firstAware: string | null;
    readonly ran: readonly { readonly since: string; readonly until: string | null }[];
    readonly runsNow: boolean;
  }[];
  /** What the log cannot tell. */
  readonly notSeen: readonly string[];
}

const NOT_SEEN = [
  'contacts of a site that led to no receipt: it may have known earlier than firstAware',
  'when the metadata that a site held expired: that is in the lane of then, not in the log',
];

/** Answers "when could each site have known of the revocation?". @throws AuditorError `RELEASE_UNKNOWN` */
export async function awareness(context: AuditContext, named: string, asked: Asked = {}): Promise<Answered<Awareness>> {
  return await inquire(context, `awareness ${named}`, asked, async (inquiry) => {
    const about = await aboutRelease(inquiry, named);
    const facts = await factsIn(inquiry, FACT.revocation, about.entries);
    const first = facts[0]?.entry.index;
    const revocations = facts.map(async ({ said, entry }) => {
      const witnessed = await witnessedAt(inquiry.context, entry.index);
      return { reason: said.reason, statement: entry.statementDigest, logIndex: entry.index, witnessed };
    });
    const sites: Awareness['sites'][number][] = [];
    const parts = first === undefined ? [] : await historyParts(inquiry, around(first, about.release));
    for (const part of parts) sites.push(siteOf(part, about.release, first ?? 0));
    return { ...nameOf(about), revocations: await Promise.all(revocations), sites, notSeen: NOT_SEEN };
  });
}

/** Receipts after the revocation in which a site that polls has seen it. */
const SOON = 8;

/**
 * What a site told around the time when the revocation was logged, and whenever what runs changed to the release or from it. A receipt that is in the log
 * before it can name no checkpoint that holds it.
 */
function around(index: number, release: Digest): Choice {
  const lastBefore = (chain: Parameters<Choice['of']>[0]): number => chain.findLastIndex((row) => row.index <= index);
  return {
    of: (chain) => {
      const before = lastBefore(chain);
      const isNear = (place: number): boolean => place >= before && place <= before + SOON;
      return chain.filter((row, place) => isNear(place) || row.release === release || row.previous === release);
    },
    isEnough: (receipts, chain) => {
      // numbers of a plain chain count from 1
      const near = lastBefore(chain) + 1 + SOON;
      return near >= chain.length || receipts.some((one) => one.seq <= near && isAware(one, index));
    },
  };
}

function isAware({ checkpoint }: Pick<ReceiptTold, 'checkpoint'>, index: number): boolean {
  return (checkpoint?.size ?? 0) > index;
}

function siteOf(part: HistoryPart, release: Digest, index: number): Awareness['sites'][number] {
  const { site, record, receipts } = part;
  const runs = runsOf(receipts);
  const aware = receipts.findIndex((one) => isAware(one, index));
  const before = aware < 0 ? receipts : receipts.slice(0, aware);
  const ran = runs.filter((run) => run.release === release);
  return {
    site,
    stage: record.said.stage,
    lastUnaware: before.at(-1)?.at ?? null,
    firstAware: aware < 0 ? null : (receipts[aware]?.at ?? null),
    ran: ran.map(({ since, until }) => ({ since, until })),
    runsNow: ran.some(({ until }) => until === null),
  };
}
