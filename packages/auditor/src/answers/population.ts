/**
 * A population, whole: every decision, release and site of a period, and the proof that none was left out: the log is read from its first entry to the last
 * that witnesses saw, each leaf hashed, and the root of those hashes is that of the checkpoint.
 */
import { AuditorError, type Digest, equalBytes, leafHash, logLeaf, parseCheckpoint, PREDICATE } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { doubt } from './answer.js';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn, releaseOf } from './facts.js';
import { type Answered, type Asked, expectTime, inquire, type Inquiry } from './inquiry.js';
import { treeRoot } from './tree-root.js';

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
  /** Every entry that was read, by type; their number is `entries`, and their root that of the checkpoint. `seen`: how many could be neither counted nor passed over. */
  readonly scanned: {
    readonly entries: number;
    readonly root: string;
    readonly byType: Readonly<Record<string, number>>;
    readonly inDoubt: number;
  };
}

/** Entries read at a time. */
const PAGE = 500;

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
    const { size, root } = await witnessedHead(inquiry);
    const found: Found = { decisions: [], releases: [], sites: [] };
    const hashes: Uint8Array[] = [];
    const byType: Record<string, number> = {};
    for (let begin = 0; begin < size; begin += PAGE) {
      const entries = await inquiry.context.ledger.entries(begin, Math.min(PAGE, size - begin));
      for (const { index, envelope, spki, certified, statement } of entries) {
        // of an entry that was erased the leaf is what is there
        while (hashes.length < index) hashes.push(leafHash(await inquiry.context.ledger.leaf(hashes.length)));
        hashes.push(leafHash(logLeaf(envelope, spki, certified?.certificate)));
        byType[statement.predicateType] = (byType[statement.predicateType] ?? 0) + 1;
      }
      await collect(inquiry, question, entries, found);
    }
    while (hashes.length < size) hashes.push(leafHash(await inquiry.context.ledger.leaf(hashes.length)));
    if (hashes.length !== size || !equalBytes(treeRoot(hashes), root))
      throw new AuditorError(
        'PROOF_MISMATCH',
        `prove that nothing was left out: expected ${size} leaves of the checkpoint's root, got others`,
      );
    await doubtUnwitnessed(inquiry, size);
    const scanned = { entries: size, root: Buffer.from(root).toString('base64'), byType, inDoubt: inquiry.evidence.doubts.length };
    return { stage: stage ?? null, from: from ?? null, to: to ?? null, ...told(found), scanned };
  });
}

async function witnessedHead({ context: { ledger } }: Inquiry): Promise<{ readonly size: number; readonly root: Uint8Array }> {
  const note = await ledger.latestCosigned();
  if (note !== null) return parseCheckpoint(note);
  throw new AuditorError('LOG_WITNESS', `prove that nothing was left out: expected a cosigned checkpoint of ${ledger.origin}, got none`);
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

/** What is logged and not witnessed may belong to the period: it is named. */
async function doubtUnwitnessed({ context, evidence }: Inquiry, size: number): Promise<void> {
  const COUNTED: readonly string[] = [PREDICATE.decision, PREDICATE.release, PREDICATE.siteRecord];
  const later = await context.ledger.entries(size, PAGE);
  for (const entry of later.filter(({ statement }) => COUNTED.includes(statement.predicateType)))
    doubt(evidence, entry, 'LOG_WITNESS', `entry ${entry.index} is logged, and no witness has seen it yet`);
}

function told({ decisions, releases, sites }: Found): Pick<Population, 'decisions' | 'releases' | 'sites'> {
  const from = ({ entry, at }: Fact<unknown>): { at: string; statement: Digest; logIndex: number } => {
    return { at, statement: entry.statementDigest, logIndex: entry.index };
  };
  return {
    decisions: decisions.map((fact) => {
      const { release, to: stage, counter } = fact.said.sealane_promotion;
      return { release, stage, result: fact.said.verificationResult, counter, ...from(fact) };
    }),
    releases: releases.map((fact) => {
      const { name, version } = fact.said;
      return { release: releaseOf(fact), name, version, ...from(fact) };
    }),
    sites: sites.map((fact) => ({ site: fact.said.site, stage: fact.said.stage, ...from(fact) })),
  };
}
