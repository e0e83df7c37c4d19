/**
 * Exceptions: a gate that does not hold, let through by what enough people signed for exactly this gate, release and stage. The check says so and
 * names their statements: who approves, who decides and who audits sees them.
 */
import { type Check, type Digest, PREDICATE } from '@sealane/core';
import { readDecision } from '../evidence/predicates/decision.js';
import { type ExceptionPredicate, exceptionTerms, readException } from '../evidence/predicates/exception.js';
import type { PolicyExceptionRule, PolicyPerson } from '../policy/policy.js';
import { timeToSeconds } from '../time.js';
import { passed } from './check-result.js';
import { EVIDENCE_CODES, type Selected, selectStatements } from './evidence-selection.js';
import type { GateContext, GateInput } from './gate.js';

/** What no exception lets through: the order of stages, and the people whose word every exception would otherwise replace. */
const NEVER_EXCEPTED: readonly string[] = ['stage-order', 'approvals', 'irreversible'];

/**
 * The check as it stands with the exceptions that policy allows. A gate that could not be judged (`error`) is never let through: nobody knows what
 * would be let through.
 */
export function withException(context: GateContext, check: Check): Check {
  if (check.verdict === 'pass' || check.verdict === 'error' || NEVER_EXCEPTED.includes(check.id)) return check;
  for (const rule of context.policy.exceptions ?? []) {
    const granted = grantedFor(context, rule, check.id);
    if (granted === undefined) continue;
    const { names, signatures, terms } = granted;
    return passed(check.id, {
      expected: check.expected,
      actual: `let through by ${names.join(', ')} until ${terms.expiresAt}: ${terms.reason}; without that: ${check.actual}`,
      evidence: [...check.evidence, ...signatures],
    });
  }
  return check;
}

/** The statements of exceptions that checks rest on. */
export function exceptionsIn({ statements }: GateInput, checks: readonly Check[]): readonly Digest[] {
  const named = new Set(checks.flatMap(({ evidence }) => evidence));
  return statements
    .filter(({ digest, statement }) => statement.predicateType === PREDICATE.exception && named.has(digest))
    .map(({ digest }) => digest);
}

interface Granted {
  readonly names: readonly string[];
  readonly signatures: readonly Digest[];
  readonly terms: ExceptionPredicate;
}

function grantedFor(context: GateContext, rule: PolicyExceptionRule, gate: string): Granted | undefined {
  const people = context.policy.people.filter(({ id }) => rule.people.includes(id));
  const promoters = context.policy.chain.flatMap(({ keys }) => keys);
  const { accepted } = selectStatements(context, {
    predicateType: PREDICATE.exception,
    // never an online key, whoever's it is said to be
    signers: people.flatMap(({ keys }) => keys).filter((key) => !promoters.includes(key)),
    read: readException,
    codes: EVIDENCE_CODES,
  });
  const bound = accepted.filter(({ predicate }) => isBoundHere(context, rule, gate, predicate));
  for (const terms of new Set(bound.map(({ predicate }) => exceptionTerms(predicate)))) {
    const same = bound.filter(({ predicate }) => exceptionTerms(predicate) === terms);
    const [first] = same;
    const names = peopleBehind(people, same);
    if (first === undefined || names.length < rule.need || usesBefore(context, same) >= first.predicate.uses) continue;
    return { names, signatures: same.map(({ from }) => from.digest), terms: first.predicate };
  }
  return undefined;
}

/** For this release, stage and gate; in force at the witnessed time; within what policy allows. */
function isBoundHere(context: GateContext, rule: PolicyExceptionRule, gate: string, exception: ExceptionPredicate): boolean {
  const days = (timeToSeconds(exception.expiresAt) - timeToSeconds(exception.issuedAt)) / 86_400;
  return (
    exception.release === context.release &&
    exception.stage === context.stage &&
    exception.gate === gate &&
    days <= rule.maxDays &&
    exception.uses <= rule.maxUses &&
    timeToSeconds(exception.expiresAt) > timeToSeconds(context.time.highest)
  );
}

/** People, not keys: one who signs with two keys is one. */
function peopleBehind(people: readonly PolicyPerson[], signed: readonly Selected<ExceptionPredicate>[]): readonly string[] {
  return people.filter(({ keys }) => signed.some(({ from }) => keys.includes(from.keyId))).map(({ id }) => id);
}

/** PASSED decisions of this stage that rest on the exception, but for the one that is being made: a retry is no second use. */
function usesBefore(context: GateContext, signed: readonly Selected<ExceptionPredicate>[]): number {
  const signatures = signed.map(({ from }) => from.digest);
  const { accepted } = selectStatements(context, {
    predicateType: PREDICATE.decision,
    signers: context.policy.chain.at(-1)?.keys ?? [],
    read: readDecision,
    codes: EVIDENCE_CODES,
  });
  return accepted.filter(({ predicate: { verificationResult, sealane_promotion: promotion } }) => {
    const isOther = promotion.rollout.join('\n') !== context.rollout.join('\n');
    const names = promotion.checks.flatMap(({ evidence }) => evidence);
    return verificationResult === 'PASSED' && promotion.to === context.stage && isOther && signatures.some((each) => names.includes(each));
  }).length;
}
