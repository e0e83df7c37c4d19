/** Which statements count: of one type, about this very release, by an allowed key within its window, each once, oldest first. */
import { type Digest, type ErrorCode, SealaneError, type Statement } from '@sealane/core';
import type { VerifiedStatement } from '../evidence/statement-checks.js';
import { isAbout } from '../evidence/predicates/statement.js';
import { countsAt } from '../policy/signer-window.js';
import { outsideScope } from '../policy/scope.js';
import type { GateInput, Problem, RefusedStatement } from './gate.js';

/** A statement that counts, with its predicate read. */
export interface Selected<T> {
  readonly from: VerifiedStatement;
  readonly predicate: T;
}

/** What counts, oldest first, and why the rest does not. */
export interface Selection<T> {
  readonly accepted: readonly Selected<T>[];
  readonly refused: readonly RefusedStatement[];
}

/** What is looked for: a predicate type, who may have signed it, how it is read, and the code for one that cannot be read. */
export interface Wanted<T> {
  readonly predicateType: string;
  readonly signers: readonly string[];
  readonly read: (statement: Statement) => T;
  /** What it must be about, where that is not the release: the things that a gate compares by themselves. */
  readonly about?: (statement: Statement) => boolean;
  /** Codes of statements by other keys, about other bytes, and unreadable. */
  readonly codes: { readonly signer: ErrorCode; readonly subject: ErrorCode; readonly unreadable: ErrorCode };
}

/** Codes for evidence, as THREATS.md names them. */
export const EVIDENCE_CODES = { signer: 'EVIDENCE_SIGNER', subject: 'EVIDENCE_SUBJECT', unreadable: 'EVIDENCE_RESULT' } as const;

/**
 * Selects statements. One statement that is logged twice counts once, at its first place by an allowed key: logging an old pass
 * again does not make it newer than a failure.
 */
export function selectStatements<T>(input: GateInput, wanted: Wanted<T>): Selection<T> {
  const { predicateType } = wanted;
  const accepted = new Map<Digest, Selected<T>>();
  const refused: RefusedStatement[] = (input.refused ?? []).filter((each) => each.predicateType === predicateType);
  for (const from of oldestFirst(input.statements, predicateType)) {
    const problem = problemOf(input, wanted, from);
    const read = problem === undefined ? readAs(wanted, from) : { problem };
    if ('problem' in read) refused.push({ ...read.problem, digest: from.digest, predicateType });
    else if (!accepted.has(from.digest)) accepted.set(from.digest, { from, predicate: read.predicate });
  }
  return { accepted: [...accepted.values()], refused };
}

/** The keys among `signers` that signed any statement of this type about the release, whether or not it counts now. */
export function signersOf(
  {
    release,
    statements,
  }: Pick<GateInput, 'release'> & { readonly statements: readonly Pick<VerifiedStatement, 'keyId' | 'logIndex' | 'statement'>[] },
  predicateType: string,
  signers: readonly string[],
): readonly string[] {
  const theirs = oldestFirst(statements, predicateType).filter(
    ({ keyId, statement }) => signers.includes(keyId) && isAbout(statement, release),
  );
  return [...new Set(theirs.map(({ keyId }) => keyId))];
}

/** Why nothing counts, for a check: the most telling refusal, else that there is none. */
export function whyNone(selection: Selection<unknown>, what: string, code: ErrorCode): Problem {
  const [first] = selection.refused;
  if (first === undefined) return { code, why: `no ${what}` };
  const more = selection.refused.length > 1 ? ` (and ${selection.refused.length - 1} more)` : '';
  return { code: first.code, why: `no ${what} that counts: ${first.why}${more}` };
}

/** Digests of the selected statements. */
export function digestsOf(selected: readonly Selected<unknown>[]): readonly Digest[] {
  return selected.map(({ from }) => from.digest);
}

function oldestFirst<T extends Pick<VerifiedStatement, 'logIndex' | 'statement'>>(
  statements: readonly T[],
  predicateType: string,
): readonly T[] {
  return statements.filter((each) => each.statement.predicateType === predicateType).sort((left, right) => left.logIndex - right.logIndex);
}

function problemOf(
  input: GateInput,
  wanted: Wanted<unknown>,
  { digest, keyId, logIndex, statement }: VerifiedStatement,
): Problem | undefined {
  if (!wanted.signers.includes(keyId))
    return { code: wanted.codes.signer, why: `${digest} is signed by key ${keyId}, which policy does not name for it` };
  const outside = outsideScope(input.policy, input.releaseDoc, keyId);
  if (outside !== undefined) return { code: 'EVIDENCE_SCOPE', why: `${digest}: ${outside}` };
  if (!countsAt(input.policy, { keyId, index: logIndex }))
    return { code: 'KEY_REVOKED', why: `${digest} is logged at ${logIndex}, where its key does not count` };
  // DSSE verification alone does not bind a statement to the bytes at hand
  const about = wanted.about ?? ((each: Statement) => isAbout(each, input.release));
  if (!about(statement)) return { code: wanted.codes.subject, why: `${digest} is about other bytes` };
  return undefined;
}

function readAs<T>(wanted: Wanted<T>, { digest, statement }: VerifiedStatement): { readonly predicate: T } | { readonly problem: Problem } {
  try {
    return { predicate: wanted.read(statement) };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return { problem: { code: wanted.codes.unreadable, why: `${digest} cannot be read: ${error.message}` } };
  }
}
