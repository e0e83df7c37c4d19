/**
 * A population, whole: every decision, release and site of a period, and the proof that none was left out: the log is read from its first entry to the last
 * that witnesses saw.
 */
import { type Digest, PREDICATE } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn, releaseOf } from './facts.js';
import { type Answered, type Asked, expectTime, inquire, type Inquiry } from './inquiry.js';
import { readWholeLog, type WholeLog } from './whole-log.js';

/** What is asked for: one stage, a period of valid time (both ends belong to it); absent: all. */
export interface PopulationQuestion {
  readonly stage?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface Population {
  readonly stage: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly decisions: readonly {
    readonly release: Digest;
    readonly stage: string;
    readonly result: string;
    readonly counter: number | null;
    /** The groups of sites that it is for. */
    readonly rollout: readonly string[];
    readonly at: string;
    readonly statement: Digest;
    readonly logIndex: number;
  }[];
  readonly releases: readonly {
    readonly release: Digest;
    readonly name: string;
    readonly version: string;
    readonly at: string;
    readonly statement: Digest;
    readonly logIndex: number;
  }[];
  readonly sites: readonly {
    readonly site: string;
    readonly stage: string;
    readonly at: string;
    readonly statement: Digest;
    readonly logIndex: number;
  }[];
  readonly scanned: WholeLog;
}

/** The kinds that are counted. */
const COUNTED: readonly string[] = [PREDICATE.decision, PREDICATE.release, PREDICATE.siteRecord];

/**
 * Answers "which decisions, releases and sites were there in this period?".
 *
 * @throws AuditorError `STAGE_UNKNOWN`; `USAGE` a malformed time; `LOG_WITNESS` nothing is witnessed, so nothing is proved complete; `PROOF_MISMATCH`
 */
export async function population(context: AuditContext, question: PopulationQuestion, asked: Asked = {}): Promise<Answered<Population>> {
  const { stage, from, to } = question;
  if (stage !== undefined) policyOf(context, stage);
  expectTime('--from', from);
  expectTime('--to', to);
  const words = [
    'population',
    stage === undefined ? '' : ` of ${stage}`,
    from === undefined ? '' : ` from ${from}`,
    to === undefined ? '' : ` to ${to}`,
  ];
  return await inquire(context, words.join(''), asked, async (inquiry) => {
    const found: Found = { decisions: [], releases: [], sites: [] };
    const scanned = await readWholeLog(inquiry, COUNTED, (entries) => collect(inquiry, question, entries, found));
    return { stage: stage ?? null, from: from ?? null, to: to ?? null, ...told(found), scanned };
  });
}

interface Found {
  readonly decisions: Fact<ReturnType<typeof FACT.decision.read>>[];
  readonly releases: Fact<ReturnType<typeof FACT.release.read>>[];
  readonly sites: Fact<ReturnType<typeof FACT.siteRecord.read>>[];
}

async function collect(inquiry: Inquiry, question: PopulationQuestion, entries: readonly LedgerEntry[], found: Found): Promise<void> {
  const { stage, from = '', to = '9999' } = question;
  const isMeant = ({ at }: { readonly at: string }, of: string | undefined): boolean =>
    at >= from && at <= to && (stage === undefined || of === undefined || of === stage);
  const decisions = await factsIn(inquiry, FACT.decision, entries);
  found.decisions.push(...decisions.filter((fact) => isMeant(fact, fact.said.sealane_promotion.to)));
  found.releases.push(...(await factsIn(inquiry, FACT.release, entries)).filter((fact) => isMeant(fact, undefined)));
  found.sites.push(...(await factsIn(inquiry, FACT.siteRecord, entries)).filter((fact) => isMeant(fact, fact.said.stage)));
}

function told({ decisions, releases, sites }: Found): Pick<Population, 'decisions' | 'releases' | 'sites'> {
  const from = ({ entry, at }: Fact<unknown>): { at: string; statement: Digest; logIndex: number } => {
    return { at, statement: entry.statementDigest, logIndex: entry.index };
  };
  return {
    decisions: decisions.map((fact) => {
      const { release, to: stage, counter, rollout } = fact.said.sealane_promotion;
      return { release, stage, result: fact.said.verificationResult, counter, rollout, ...from(fact) };
    }),
    releases: releases.map((fact) => {
      const { name, version } = fact.said;
      return { release: releaseOf(fact), name, version, ...from(fact) };
    }),
    sites: sites.map((fact) => ({ site: fact.said.site, stage: fact.said.stage, ...from(fact) })),
  };
}
