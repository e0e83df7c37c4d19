/** Exceptions in the log: who granted them, which decisions rest on them, and whether somebody has looked at that since. */
import { type Digest, PREDICATE, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  type ExceptionPredicate,
  exceptionTerms,
  isSiteKind,
  type Policy,
  readDecision,
  readException,
  readReceipt,
  readReview,
} from '@sealane/trust';
import { stageDecisions } from '../decision/stage-decisions.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { peopleApart } from './apart.js';

/** One exception with everybody's signature on it. `state`: a used one is `open` until somebody who did not grant it has reviewed each use, after it was logged. */
export interface GrantedException extends Omit<ExceptionPredicate, 'nonce'> {
  readonly statements: readonly Digest[];
  readonly grantedBy: readonly string[];
  readonly need: number;
  readonly usedBy: readonly Digest[];
  readonly reviewedBy: readonly string[];
  readonly state: 'waiting' | 'granted' | 'expired' | 'open' | 'reviewed';
}

/** Every exception of the lane, in log order. */
export async function listExceptions(promoter: Promoter): Promise<readonly GrantedException[]> {
  const found: GrantedException[] = [];
  for (const { release } of await promoter.ledger.releases()) {
    const entries = await promoter.ledger.statementsAbout(release, PREDICATE.exception);
    const read = entries.flatMap((entry) => exceptionIn(entry) ?? []);
    for (const terms of new Set(read.map(({ predicate }) => exceptionTerms(predicate)))) {
      const same = read.filter(({ predicate }) => exceptionTerms(predicate) === terms);
      found.push(...(await describe(promoter, same)));
    }
  }
  return found;
}

interface Signed {
  readonly entry: LedgerEntry;
  readonly predicate: ExceptionPredicate;
}

/** Strangers can have anything logged that a policy's key signed: what is no exception is left out. */
export function exceptionIn(entry: LedgerEntry): Signed | undefined {
  try {
    return { entry, predicate: readException(statementOf(entry)) };
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

async function describe(promoter: Promoter, same: readonly Signed[]): Promise<readonly GrantedException[]> {
  const [first] = same;
  if (first === undefined || !promoter.lane.stages.has(first.predicate.stage)) return [];
  const { nonce: _, ...terms } = first.predicate;
  const { policy } = stageOf(promoter, terms.stage);
  const rule = policy.exceptions?.find(({ kind }) => kind === terms.kind);
  const statements = same.map(({ entry }) => entry.statementDigest);
  const apart = isSiteKind(terms.kind) ? new Set<string>() : await peopleApart(promoter, terms.release, terms.stage);
  const grantedBy = peopleOf(
    policy,
    same.map(({ entry }) => entry),
  ).filter((id) => rule?.people.includes(id) === true && typeof apart !== 'string' && !apart.has(id));
  const uses = terms.site === undefined ? await usesOf(promoter, terms, statements) : await usesAt(promoter, terms.site.name, statements);
  const othersIn = (entries: readonly LedgerEntry[]): readonly string[] =>
    peopleOf(policy, entries).filter((id) => !grantedBy.includes(id));
  const reviews = (await reviewsOf(promoter, statements)).filter((entry) => othersIn([entry]).length > 0);
  const need = rule?.need ?? 0;
  const state =
    uses.length > 0
      ? uses.every((use) => reviews.some(({ index }) => index > use.index))
        ? 'reviewed'
        : 'open'
      : terms.expiresAt <= promoter.now()
        ? 'expired'
        : rule !== undefined && grantedBy.length >= need
          ? 'granted'
          : 'waiting';
  const usedBy = uses.map(({ statementDigest }) => statementDigest);
  return [{ ...terms, statements, grantedBy, need, usedBy, reviewedBy: othersIn(reviews), state }];
}

function peopleOf({ people }: Policy, entries: readonly LedgerEntry[]): readonly string[] {
  return people.filter(({ keys }) => entries.some(({ keyId }) => keys.includes(keyId))).map(({ id }) => id);
}

async function usesOf(
  promoter: Promoter,
  { release, stage }: Pick<ExceptionPredicate, 'release' | 'stage'>,
  statements: readonly Digest[],
): Promise<readonly LedgerEntry[]> {
  const uses: LedgerEntry[] = [];
  for (const { index, result } of await stageDecisions(promoter, { release, stage })) {
    const entry = await promoter.ledger.entry(index);
    const names = readDecision(statementOf(entry)).sealane_promotion.checks.flatMap(({ evidence }) => evidence);
    if (result === 'PASSED' && statements.some((digest) => names.includes(digest))) uses.push(entry);
  }
  return uses;
}

/** The receipts of a site that name the exception. */
async function usesAt({ ledger }: Promoter, site: string, statements: readonly Digest[]): Promise<readonly LedgerEntry[]> {
  const uses: LedgerEntry[] = [];
  for (const { index } of await ledger.receiptsOf(site)) {
    const entry = await ledger.entry(index);
    const { exceptions = [] } = readReceipt(statementOf(entry));
    if (exceptions.some((digest) => statements.includes(digest))) uses.push(entry);
  }
  return uses;
}

async function reviewsOf({ ledger }: Promoter, statements: readonly Digest[]): Promise<readonly LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (const digest of statements) {
    const reviews = await ledger.statementsAbout(digest, PREDICATE.review);
    found.push(...reviews.filter((entry) => readReview(statementOf(entry)).exception === digest));
  }
  return found;
}
