/** Step 6: this stage's own decision: by its key, PASSED, about this release, for this site's group, under a policy that still counts. */
import { type Digest, PREDICATE, TrustError } from '@sealane/core';
import { type DecisionPredicate, decisionPolicy, readDecision, stageUrn } from '../evidence/predicates/decision.js';
import { isAbout } from '../evidence/predicates/statement.js';
import type { VerifiedStatement } from '../evidence/statement-checks.js';
import type { Floor, Policy } from '../policy/policy-types.js';
import type { Waybill } from '../waybill/waybill.js';
import { lowestCounter } from './channel-step.js';
import { statementOf, type WaybillStatements } from './waybill-step.js';

/** The decision that lets a release into this stage. */
export interface StageDecision {
  readonly from: VerifiedStatement;
  readonly predicate: DecisionPredicate;
  readonly counter: number;
}

/**
 * Finds and checks the decision that the waybill names.
 *
 * @throws TrustError `WAYBILL_STAGE_ORDER` missing, FAILED, of another stage or under a policy that does not count; `WAYBILL_SIGNATURE` not by the
 * stage's key; `WAYBILL_SUBJECT` about another release; `KEY_REVOKED`; `SITE_MISMATCH` not for this group
 */
export function openDecision(
  waybill: Waybill,
  found: WaybillStatements,
  policy: Policy,
  policyDigest: Digest,
  group: string,
): StageDecision {
  const digest = waybill.decision;
  const from = statementOf(found, digest);
  if (from?.statement.predicateType !== PREDICATE.decision) throw missing(digest, found);
  const keys = policy.chain[policy.chain.length - 1]?.keys ?? [];
  if (!keys.includes(from.keyId))
    throw new TrustError(
      'WAYBILL_SIGNATURE',
      `check decision ${digest}: expected one by a key of stage ${policy.stage}, got key ${from.keyId}`,
    );
  const predicate = readDecision(from.statement);
  const { sealane_promotion: promotion } = predicate;
  if (!isAbout(from.statement, waybill.release) || promotion.release !== waybill.release) {
    throw new TrustError(
      'WAYBILL_SUBJECT',
      `check decision ${digest}: expected one about release ${waybill.release}, got one about ${promotion.release}`,
    );
  }
  checkStage(digest, predicate, policy);
  if (!countsUnder(policy, policyDigest, decisionPolicy(predicate), from.logIndex)) {
    throw new TrustError(
      'WAYBILL_STAGE_ORDER',
      `check decision ${digest}: expected one under policy ${policyDigest} or one that it accepts, got ${decisionPolicy(predicate)}`,
    );
  }
  if (!promotion.rollout.includes(group)) {
    throw new TrustError(
      'SITE_MISMATCH',
      `check decision ${digest}: expected one for group ${group}, got one for ${promotion.rollout.join(', ')}`,
    );
  }
  return { from, predicate, counter: promotion.counter ?? 0 };
}

/** PASSED, into this stage of this lane, out of a stage that it takes from. */
function checkStage(
  digest: Digest,
  { verificationResult, verifier, resourceUri, sealane_promotion: promotion }: DecisionPredicate,
  policy: Policy,
): void {
  const urn = stageUrn(policy.lane, policy.stage);
  const from = policy.chain[policy.chain.length - 1]?.from ?? [];
  const fromMatches = promotion.from === null ? from.length === 0 : from.includes(promotion.from);
  const wrong =
    verificationResult === 'FAILED'
      ? 'a refusal'
      : promotion.to !== policy.stage || verifier.id !== urn || resourceUri !== urn
        ? `one for ${resourceUri}`
        : fromMatches
          ? undefined
          : `one out of ${promotion.from ?? 'no stage'}`;
  if (wrong !== undefined)
    throw new TrustError('WAYBILL_STAGE_ORDER', `check decision ${digest}: expected PASSED for ${urn}, got ${wrong}`);
}

function countsUnder(policy: Policy, current: Digest, made: Digest, logIndex: number): boolean {
  return made === current || policy.accepts.some(({ digest, belowIndex }) => digest === made && logIndex < belowIndex);
}

function missing(digest: Digest, { refused }: WaybillStatements): TrustError {
  const refusal = refused.find((each) => each.digest === digest);
  if (refusal !== undefined) return new TrustError(refusal.code, `check decision ${digest}: ${refusal.why}`);
  return new TrustError('WAYBILL_STAGE_ORDER', `check decision ${digest}: expected it in the waybill, got none`);
}

/** @throws TrustError `RELEASE_BELOW_FLOOR` */
export function checkFloor(decision: StageDecision, floors: readonly Floor[]): void {
  const lowest = lowestCounter(floors);
  if (decision.counter < lowest) {
    throw new TrustError(
      'RELEASE_BELOW_FLOOR',
      `check decision ${decision.from.digest}: expected counter ${lowest} or above, got ${decision.counter}`,
    );
  }
}

/**
 * The index from which on approvals count for this decision: one logged at or after a floor's index needs approvals logged at or after it, so that
 * approvals from before a revocation are not spent a second time.
 */
export function approvalsFrom(decision: StageDecision, floors: readonly Floor[]): number {
  return Math.max(0, ...floors.filter(({ index }) => decision.from.logIndex >= index).map(({ index }) => index));
}
