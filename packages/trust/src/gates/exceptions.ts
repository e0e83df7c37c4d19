/**
 * Exceptions: what does not hold, let through by what enough people signed for exactly this gate, window or site, release and stage. The check says so and
 * names their statements: who approves, who decides and who audits sees them.
 */
import { type Check, type Digest, PREDICATE } from '@sealane/core';
import { readDecision } from '../evidence/predicates/decision.js';
import { type ExceptionKind, type ExceptionPredicate, exceptionTerms, readException } from '../evidence/predicates/exception.js';
import { exceptionSigners, grantingPeople, isWithin } from '../policy/exception-rule.js';
import type { PolicyExceptionRule, PolicyGate } from '../policy/policy-types.js';
import { timeToSeconds } from '../time.js';
import { heldApart } from './approval-votes.js';
import { failed, passed } from './check-result.js';
import { EVIDENCE_CODES, type Selected, selectStatements } from './evidence-selection.js';
import type { GateContext, GateInput } from './gate.js';
import { PROMOTER_VERDICTS } from './promoter-verdicts.js';
import { isMeant, signedGate } from './which-gate.js';

const WINDOWS = 'windows';

/** What no exception lets through: the order of stages, and the people whose word every exception would otherwise replace. */
const NEVER_EXCEPTED: readonly string[] = ['stage-order', 'approvals', 'irreversible'];

/**
 * The check as it stands with the exceptions that policy allows. A gate that could not be judged (`error`) is never let through: nobody knows what
 * would be let through.
 */
export function withException(context: GateContext, gate: PolicyGate, check: Check): Check {
  if (check.verdict === 'pass' || check.verdict === 'error' || NEVER_EXCEPTED.includes(check.id)) return check;
  const { policy, signedGates = policy.gates } = context;
  const granted = grantedForGate(context, signedGate(gate, policy.gates, signedGates));
  if (granted === undefined) return check;
  return passed(check.id, {
    expected: check.expected,
    actual: `${describeGranted(granted)}; without that: ${check.actual}`,
    evidence: [...check.evidence, ...granted.signatures],
  });
}

/** The exception that lets a gate through: of kind `gate`, or `window` for windows. */
function grantedForGate(input: GateInput, gate: PolicyGate | undefined): Granted | undefined {
  if (gate === undefined) return undefined;
  const { policy, signedGates = policy.gates } = input;
  const isThis = (exception: ExceptionPredicate): boolean => isMeant(exception, gate, signedGates);
  const window = gate.use === WINDOWS ? grantedFor(input, 'window', isThis) : undefined;
  return window ?? grantedFor(input, 'gate', (exception) => exception.gate === gate.use && isThis(exception));
}

/** The exception that lets a site through whose hardware nobody tested. */
export function grantedForSite(input: GateInput, site: string): Granted | undefined {
  return grantedFor(input, 'hardware', ({ sites = [] }) => sites.includes(site));
}

/** Who lets something through, until when, and why. */
export function describeGranted({ names, terms }: Granted): string {
  return `let through by ${names.join(', ')} until ${terms.expiresAt}: ${terms.reason}`;
}

/**
 * At a site: of the promoter's verdicts that rest on an exception, those whose exception does not count here. What the gate itself said is the
 * promoter's word; who let it through is checked again.
 */
export function refusedExceptions(input: GateInput, recorded: readonly Pick<Check, 'id' | 'evidence'>[]): readonly Check[] {
  const signed = [...input.statements, ...(input.refused ?? [])].filter(
    ({ statement }) => statement?.predicateType === PREDICATE.exception,
  );
  const resting = recorded.filter(
    ({ id, evidence }) => PROMOTER_VERDICTS.includes(id) && signed.some(({ digest }) => evidence.includes(digest)),
  );
  return resting
    .filter((check) => grantedForGate(input, gateOfRecord(input, recorded, check)) === undefined)
    .map(({ id, evidence }) =>
      failed(id, {
        expected: 'an exception that policy allows, for this gate, release and stage',
        actual: 'the verdict rests on one that does not count',
        remedy: 'promote it without an exception, or with one that counts',
        evidence,
        code: 'EXCEPTION_INVALID',
      }),
    );
}

/** Gates stand in a decision in the order of policy. One that was made when the stage had more of them, or fewer, does not tell which it means. */
function gateOfRecord(
  { policy, signedGates = policy.gates }: GateInput,
  recorded: readonly Pick<Check, 'id' | 'evidence'>[],
  check: Pick<Check, 'id' | 'evidence'>,
): PolicyGate | undefined {
  const gates = signedGates.filter(({ use }) => use === check.id);
  if (gates.length === 0) return { use: check.id, with: {} };
  const same = recorded.filter(({ id }) => id === check.id);
  return gates.length === same.length ? gates[same.indexOf(check)] : undefined;
}

/** The statements of exceptions that checks rest on. */
export function exceptionsIn({ statements }: GateInput, checks: readonly Check[]): readonly Digest[] {
  const named = new Set(checks.flatMap(({ evidence }) => evidence));
  return statements
    .filter(({ digest, statement }) => statement.predicateType === PREDICATE.exception && named.has(digest))
    .map(({ digest }) => digest);
}

/** An exception that counts. */
export interface Granted {
  readonly names: readonly string[];
  readonly signatures: readonly Digest[];
  readonly terms: ExceptionPredicate;
}

function grantedFor(input: GateInput, kind: ExceptionKind, isMeant: (exception: ExceptionPredicate) => boolean): Granted | undefined {
  const rule = input.policy.exceptions?.find((each) => each.kind === kind);
  const apart = heldApart(input);
  // unknown is refused, as of approvals
  if (rule === undefined || typeof apart === 'string') return undefined;
  const { accepted } = selectStatements(input, {
    predicateType: PREDICATE.exception,
    signers: exceptionSigners(input.policy, rule).filter((key) => !apart.has(key)),
    read: readException,
    codes: EVIDENCE_CODES,
  });
  const bound = accepted.filter((signed) => isBoundHere(input, rule, signed) && isMeant(signed.predicate));
  for (const terms of new Set(bound.map(({ predicate }) => exceptionTerms(predicate)))) {
    const same = bound.filter(({ predicate }) => exceptionTerms(predicate) === terms);
    const [first] = same;
    const names = grantingPeople(
      input.policy,
      rule,
      same.map(({ from }) => from.keyId),
    );
    if (first === undefined || names.length < rule.need || usesBefore(input, same) >= first.predicate.uses) continue;
    return { names, signatures: same.map(({ from }) => from.digest), terms: first.predicate };
  }
  return undefined;
}

/** For this release and stage; in force at the witnessed time; within what policy allows. */
function isBoundHere(
  { release, stage, time }: GateInput,
  rule: PolicyExceptionRule,
  { from, predicate: exception }: Selected<ExceptionPredicate>,
): boolean {
  // by when it was logged, not by now: one for a day to come would outlive the key that signed it
  const seenAt = from.witnessed?.highest ?? time.highest;
  return (
    exception.kind === rule.kind &&
    exception.release === release &&
    exception.stage === stage &&
    isWithin(rule, exception, seenAt) &&
    timeToSeconds(exception.expiresAt) > timeToSeconds(time.highest)
  );
}

/** PASSED decisions of this stage that rest on the exception, but for the one that is being made: a retry is no second use. */
function usesBefore(context: GateInput, signed: readonly Selected<ExceptionPredicate>[]): number {
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
