/** What people let through: each exception with its reason and end, where it was used, whether somebody reviewed that, and whether anything still rests on it. */
import type { Digest } from '@sealane/core';
import { type ExceptionPredicate, exceptionTerms } from '@sealane/trust';
import { type AuditContext, personOf, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsOf } from './facts.js';
import { groupBy } from './group-by.js';
import { type Answered, type Asked, inquire, type Inquiry, timeOf } from './inquiry.js';
import { runningNow, siteHistories, type SiteHistory } from './site-history.js';

export interface Waivers {
  readonly waivers: readonly {
    readonly kind: string;
    readonly release: Digest;
    readonly stage: string;
    /** The gate, the sites or the site that it is bound to. */
    readonly bound: readonly string[];
    readonly people: readonly string[];
    readonly reasons: readonly string[];
    readonly expiresAt: string;
    readonly expired: boolean;
    readonly uses: number;
    /** Decisions that passed and receipts which rest on it. */
    readonly used: readonly { readonly by: string; readonly at: string; readonly statement: Digest }[];
    readonly reviews: readonly { readonly person: string; readonly at: string; readonly statement: Digest }[];
    /** Used, and nobody else than who granted it has looked at that since. */
    readonly open: boolean;
    /** Sites that run the release which it let through. */
    readonly reliedOnBy: readonly string[];
    readonly statements: readonly Digest[];
  }[];
}

/**
 * Answers "what was let through, until when, and does anything still rest on it?"; `openOnly`: what was used and never reviewed.
 *
 * @throws AuditorError `STAGE_UNKNOWN`; `LOG_WITNESS`
 */
export async function waivers(
  context: AuditContext,
  { stage, openOnly = false }: { readonly stage?: string | undefined; readonly openOnly?: boolean },
  asked: Asked = {},
): Promise<Answered<Waivers>> {
  if (stage !== undefined) policyOf(context, stage);
  const words = `waivers${stage === undefined ? '' : ` of ${stage}`}${openOnly ? ' without a review' : ''}`;
  return await inquire(context, words, asked, async (inquiry) => {
    const granted = (await factsOf(inquiry, FACT.exception)).filter(({ said }) => stage === undefined || said.stage === stage);
    const histories = granted.length === 0 ? [] : await siteHistories(inquiry);
    const uses = granted.length === 0 ? [] : await usesIn(inquiry, histories);
    const around: Around = { time: await timeOf(inquiry), uses, reviews: await factsOf(inquiry, FACT.review), histories };
    const byTerms = groupBy(granted, ({ said }) => exceptionTerms(said));
    const all = [...byTerms.values()].map((signatures) => waiverOf(inquiry, signatures, around));
    return { waivers: all.filter(({ open }) => open || !openOnly) };
  });
}

interface Use {
  readonly index: number;
  readonly by: string;
  readonly at: string;
  readonly statement: Digest;
  readonly named: readonly Digest[];
}

interface Around {
  readonly time: string;
  readonly uses: readonly Use[];
  readonly reviews: readonly Fact<{ readonly exception: Digest }>[];
  readonly histories: readonly SiteHistory[];
}

function waiverOf({ context }: Inquiry, signatures: readonly Fact<ExceptionPredicate>[], around: Around): Waivers['waivers'][number] {
  const [first] = signatures;
  if (first === undefined) throw new RangeError('tell a waiver: expected at least one signature');
  const { kind, release, stage, gate, sites = [], site, expiresAt, uses } = first.said;
  const statements = signatures.map(({ entry }) => entry.statementDigest);
  const used = around.uses.filter(({ named }) => named.some((digest) => statements.includes(digest)));
  const reviews = around.reviews.filter(({ said }) => statements.includes(said.exception));
  const who = (keyId: string): string => personOf(context, keyId) ?? `key ${keyId}`;
  const people = new Set(signatures.map(({ entry }) => who(entry.keyId)));
  // what was not in the log yet nobody can have looked at, and nobody looks at what he did himself
  const isReviewed = ({ index }: Use): boolean => reviews.some(({ entry }) => entry.index > index && !people.has(who(entry.keyId)));
  const running = around.histories.filter((history) => runningNow(history)?.release === release && history.record.said.stage === stage);
  return {
    kind,
    release,
    stage,
    bound: [...(gate === undefined ? [] : [gate]), ...sites, ...(site === undefined ? [] : [site.name])],
    people: [...people],
    reasons: [...new Set(signatures.map(({ said }) => said.reason))],
    expiresAt,
    expired: expiresAt <= around.time,
    uses,
    used: used.map(({ by, at, statement }) => ({ by, at, statement })),
    reviews: reviews.map(({ entry, at }) => ({ person: who(entry.keyId), at, statement: entry.statementDigest })),
    open: !used.every(isReviewed),
    reliedOnBy: used.length === 0 ? [] : running.map((history) => history.site),
    statements,
  };
}

/** Decisions that passed by checks which name statements, and receipts that name exceptions. */
async function usesIn(inquiry: Inquiry, histories: readonly SiteHistory[]): Promise<readonly Use[]> {
  const passed = (await factsOf(inquiry, FACT.decision)).filter(({ said }) => said.verificationResult === 'PASSED');
  const decided = passed.map(({ said, at, entry }) => ({
    index: entry.index,
    by: `decision into ${said.sealane_promotion.to}`,
    at,
    statement: entry.statementDigest,
    named: said.sealane_promotion.checks.flatMap(({ evidence }) => evidence),
  }));
  const receipts = histories.flatMap((history) => history.receipts).sort((left, right) => left.index - right.index);
  const atSites = receipts.map(({ index, site, at, statementDigest: statement, exceptions: named = [] }) => ({
    index,
    by: `site ${site}`,
    at,
    statement,
    named,
  }));
  return [...decided, ...atSites];
}
