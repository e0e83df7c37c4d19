/** The gate that is always on: every stage before this one has let this very release in, each by its own key, in order. */
import { type Check, type ErrorCode, PREDICATE } from '@sealane/core';
import { z } from 'zod';
import { type DecisionPredicate, readDecision, stageUrn } from '../evidence/predicates/decision.js';
import type { PolicyStage } from '../policy/policy-types.js';
import { failed, passed, pending } from './check-result.js';
import { type Selected, selectStatements, type Selection } from './evidence-selection.js';
import { defineGate, type GateContext, type GateInput } from './gate.js';

const CODES = { signer: 'WAYBILL_SIGNATURE', subject: 'WAYBILL_SUBJECT', unreadable: 'WAYBILL_STAGE_ORDER' } as const;

/** A stage before this one: the decision that let the release in, or why there is none. */
export interface StagePassage {
  readonly stage: string;
  readonly decision: Selected<DecisionPredicate> | undefined;
  readonly code: ErrorCode;
  readonly why: string;
}

/**
 * For every stage upstream of this one its first decision that counts: PASSED, by a key of that stage, about this release, of this lane, logged
 * after the decisions of the stages it takes from. A later refusal does not undo it; revocation does.
 */
export function stagePassages(input: GateInput): readonly StagePassage[] {
  const passages = new Map<string, StagePassage>();
  for (const link of upstreamOf(input)) {
    const before = link.from.map((name) => passages.get(name)?.decision?.from.logIndex);
    passages.set(link.stage, passageOf(input, link, before));
  }
  return [...passages.values()];
}

/** Stage order has no settings; naming it in a pipeline changes nothing. */
export const stageOrderGate = defineGate({
  id: 'stage-order',
  summary: 'every stage before this one has let this release in',
  recheckedAtSite: true,
  reads: 'decisions',
  configSchema: z.strictObject({}),
  evaluate: evaluateStageOrder,
});

function evaluateStageOrder(context: GateContext): Check {
  const id = stageOrderGate.id;
  const link = context.policy.chain.find((each) => each.stage === context.stage);
  const expected = `release ${context.release} has passed every stage before ${context.stage}`;
  if (link === undefined || context.policy.stage !== context.stage) {
    return failed(id, {
      expected,
      actual: `the policy of ${context.policy.stage} does not judge stage ${context.stage}`,
      remedy: 'give the policy of this stage',
      evidence: [],
      code: 'WAYBILL_STAGE_ORDER',
    });
  }
  const passages = stagePassages(context);
  const evidence = passages.flatMap(({ decision }) => (decision === undefined ? [] : [decision.from.digest]));
  const missing = passages.find(({ decision }) => decision === undefined);
  if (missing !== undefined) {
    return failed(id, {
      expected,
      actual: `${missing.stage}: ${missing.why}`,
      remedy: `sealane promote ${context.release} --to ${missing.stage}`,
      evidence,
      code: missing.code,
    });
  }
  const unwitnessed = passages.find(({ decision }) => decision?.from.witnessed === null);
  if (unwitnessed !== undefined) {
    return pending(id, {
      expected,
      actual: `${unwitnessed.stage}: its decision is not witnessed yet`,
      remedy: 'sealane publish --refresh',
      evidence,
      code: 'LOG_WITNESS',
    });
  }
  const actual = passages.length === 0 ? `${context.stage} is a first stage` : `passed ${passages.map(({ stage }) => stage).join(', ')}`;
  return passed(id, { expected, actual, evidence });
}

/** The stages that this one rests on, each after those it takes from (the chain is in that order). */
function upstreamOf({ policy, stage }: GateInput): readonly PolicyStage[] {
  const needed = new Set<string>([stage]);
  for (const link of [...policy.chain].reverse()) {
    if (needed.has(link.stage)) for (const name of link.from) needed.add(name);
  }
  return policy.chain.filter((link) => link.stage !== stage && needed.has(link.stage));
}

function passageOf(input: GateInput, link: PolicyStage, before: readonly (number | undefined)[]): StagePassage {
  const isOfStage = (predicate: DecisionPredicate): boolean => predicate.sealane_promotion.to === link.stage;
  const selection = selectStatements(input, { predicateType: PREDICATE.decision, signers: link.keys, read: readDecision, codes: CODES });
  const none = { stage: link.stage, decision: undefined };
  if (before.includes(undefined)) return { ...none, code: 'WAYBILL_STAGE_ORDER', why: 'a stage before it has no decision' };
  const after = Math.max(-1, ...before.map((index) => index ?? Number.POSITIVE_INFINITY));
  const ofStage = selection.accepted.filter(({ predicate }) => isOfStage(predicate));
  const decision = ofStage.find((each) => each.from.logIndex > after && isPassage(input, link, each.predicate));
  if (decision !== undefined) return { stage: link.stage, decision, code: 'WAYBILL_STAGE_ORDER', why: '' };
  return { ...none, ...whyNoPassage(input, link, ofStage, selection) };
}

function isPassage(
  input: GateInput,
  link: PolicyStage,
  { verificationResult, verifier, resourceUri, sealane_promotion: promotion }: DecisionPredicate,
): boolean {
  const urn = stageUrn(input.policy.lane, link.stage);
  const fromMatches = promotion.from === null ? link.from.length === 0 : link.from.includes(promotion.from);
  return (
    verificationResult === 'PASSED' && promotion.release === input.release && verifier.id === urn && resourceUri === urn && fromMatches
  );
}

/** A decision by a wrong key names this stage in a payload that nobody vouches for; it is told apart from there being none. */
function whyNoPassage(
  input: GateInput,
  link: PolicyStage,
  ofStage: readonly Selected<DecisionPredicate>[],
  selection: Selection<DecisionPredicate>,
): { readonly code: ErrorCode; readonly why: string } {
  if (ofStage.some(({ predicate }) => predicate.verificationResult === 'FAILED'))
    return { code: 'WAYBILL_STAGE_ORDER', why: 'only refusals, no PASSED decision' };
  if (ofStage.length > 0)
    return {
      code: 'WAYBILL_STAGE_ORDER',
      why: 'its decision is of another release, lane or predecessor, or was logged before the stages it takes from',
    };
  const urn = stageUrn(input.policy.lane, link.stage);
  const claims = [...input.statements, ...(input.refused ?? [])].filter(
    ({ statement }) => statement?.predicateType === PREDICATE.decision && statement.predicate.resourceUri === urn,
  );
  const claimed = selection.refused.find((each) => claims.some(({ digest }) => digest === each.digest));
  return claimed ?? { code: 'WAYBILL_STAGE_ORDER', why: 'no decision' };
}
