/**
 * Promotion: gates → signed decision in the log → witness quorum → waybill → channel → published trust.
 *
 * Each step is durable before the next and skips itself when it is done already: killed anywhere and run again, nothing is lost and nothing doubled.
 */
import { type Check, type Digest, type ErrorCode, PromoterError, sha256 } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  type DecisionFields,
  decisionInputs,
  decisionPolicy,
  decisionStatement,
  type GateInput,
  isPointing,
  readDecision,
  type RecordedCheck,
} from '@sealane/trust';
import { setChannelGroups } from '../channel/channel-edit.js';
import { reached } from '../crash-point.js';
import { subjectsOf } from '../evidence/subjects.js';
import { signAndLog, statementOf, tryWitness } from '../log/log-statements.js';
import { type Promoter, stageOf, stageSigner } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';
import { VERSION } from '../version.js';
import { ordersOf } from './orders.js';
import { type JudgedAt, type Question, releaseDocument } from './gate-input.js';
import { earliestOf, judge, type Verdict } from './judge.js';
import { recordedCheck } from './recorded.js';
import { buildWaybill } from './waybill.js';

/** What `plan` and `promote` answer. */
export interface Outcome {
  readonly release: Digest;
  readonly to: string;
  readonly decision: Verdict;
  readonly checks: readonly Check[];
  /** What the gates read. */
  readonly input: GateInput;
  readonly earliest: string | null;
  readonly statement: Digest | null;
  readonly logIndex: number | null;
  /** False when the decision is logged but no witness quorum has seen it yet. */
  readonly published: boolean;
}

/** What the gates say; nothing is signed or logged. A plan is made for the time that witnesses would give now (`expected`). */
export async function plan(promoter: Promoter, question: Question, at: JudgedAt = 'expected'): Promise<Outcome> {
  const judged = await judge(promoter, question, at);
  return {
    release: question.release,
    to: question.stage,
    decision: judged.verdict,
    checks: judged.checks,
    input: judged.input,
    earliest: await earliestOf(promoter, question, judged),
    statement: null,
    logIndex: null,
    published: false,
  };
}

/**
 * Promotes, or says why not. Refusals are decisions too, logged once for the same reasons; pending ones are not logged.
 *
 * Without a witness quorum a passed decision stays logged and unpublished; the same command resumes it.
 */
export async function promote(promoter: Promoter, question: Question): Promise<Outcome> {
  // evidence and approvals logged since the last checkpoint count at the time that witnesses saw them
  const witnessed = await tryWitness(promoter);
  const planned = await planWitnessed(promoter, question);
  if (planned.decision === 'pending') return planned;
  const entry = await decide(promoter, question, planned);
  const outcome = { ...planned, statement: entry.statementDigest, logIndex: entry.index };
  if (planned.decision === 'refused') {
    await tryWitness(promoter);
    return outcome;
  }
  // a retried job of last week must not roll the stage back, nor undo that it was rolled back: both are acts of their own
  if (await isSuperseded(promoter, question, entry)) return { ...outcome, published: true };
  if (!witnessed || !(await tryWitness(promoter))) return outcome;
  reached('promote:decision-witnessed');
  await publishDecision(promoter, question, entry);
  return { ...outcome, published: true };
}

/**
 * What the gates say at witnessed time. Time passes in a log that does not grow too: where the time that witnesses would give now changes the
 * verdict (a soak or freeze is over, a window has closed), it is judged under a fresh checkpoint.
 */
async function planWitnessed(promoter: Promoter, question: Question): Promise<Outcome> {
  const planned = await plan(promoter, question, 'witnessed');
  const { verdict } = await judge(promoter, question, 'expected');
  const isOld = verdict !== planned.decision;
  return isOld && (await tryWitness(promoter, 'always')) ? await plan(promoter, question, 'witnessed') : planned;
}

/** The decision in the log: one that is there for the same question and inputs, or a new one. */
async function decide(promoter: Promoter, question: Question, planned: Outcome): Promise<LedgerEntry> {
  const { digest: policy } = stageOf(promoter, question.stage);
  const inputs = [...new Set(planned.checks.flatMap(({ evidence }) => evidence))].sort();
  const result = planned.decision === 'passed' ? 'PASSED' : 'FAILED';
  const recorded = planned.checks.map(recordedCheck);
  const before = await findDecision(promoter, question, { policy, inputs, result, refusal: refusalOf(recorded) });
  if (before !== undefined) return before;
  const fields: DecisionFields = {
    origin: promoter.ledger.origin,
    stage: question.stage,
    version: VERSION,
    timeVerified: promoter.now(),
    policy,
    inputs,
    result,
    promotion: {
      counter: result === 'PASSED' ? await nextCounter(promoter, question.stage) : null,
      from: fromOf(promoter, question.stage),
      to: question.stage,
      rollout: question.rollout,
      approvals: planned.checks.filter(({ id }) => id === 'approvals').flatMap(({ evidence }) => evidence),
      checks: recorded,
      release: question.release,
      judgedAt: planned.input.time,
      salt: promoter.randomHex(),
    },
    // a refusal names the release alone: what reads no predicate must find none at an image
    ...(result === 'PASSED' && { parts: await partsOf(promoter, question.release) }),
  };
  const { index } = await signAndLog(promoter.ledger, decisionStatement(fields), await stageSigner(promoter, question.stage));
  reached('promote:decision-logged');
  return await promoter.ledger.entry(index);
}

async function partsOf(promoter: Promoter, release: Digest): Promise<NonNullable<DecisionFields['parts']>> {
  const { name } = await releaseDocument(promoter, release);
  return subjectsOf(promoter, { digest: release, name }).slice(1);
}

interface DecisionKey {
  readonly policy: Digest;
  readonly inputs: readonly Digest[];
  readonly result: 'PASSED' | 'FAILED';
  readonly refusal: string;
}

/** Keyed by release, stage, rollout, policy and sorted statement digests; a refusal also by what it refuses. */
async function findDecision(
  { ledger }: Promoter,
  { release, stage, rollout }: Question,
  key: DecisionKey,
): Promise<LedgerEntry | undefined> {
  for (const { index } of [...(await ledger.decisions({ stage, release }))].reverse()) {
    const entry = await ledger.entry(index);
    const decision = readDecision(statementOf(entry));
    const isSame =
      decision.verificationResult === key.result &&
      decisionPolicy(decision) === key.policy &&
      decision.sealane_promotion.rollout.join() === rollout.join() &&
      [...decisionInputs(decision)].sort().join() === key.inputs.join() &&
      (key.result === 'PASSED' || refusalOf(decision.sealane_promotion.checks) === key.refusal);
    if (isSame) return entry;
  }
  return undefined;
}

/** What a refusal says, without the times in it. */
function refusalOf(checks: readonly RecordedCheck[]): string {
  return checks.map(({ id, verdict, code }) => `${id}:${verdict}:${code ?? ''}`).join(' ');
}

async function nextCounter({ ledger }: Promoter, stage: string): Promise<number> {
  return 1 + (await ledger.decisions({ stage })).filter(({ result }) => result === 'PASSED').length;
}

function fromOf(promoter: Promoter, stage: string): string | null {
  return stageOf(promoter, stage).policy.chain.at(-1)?.from[0] ?? null;
}

/** Whether every group that the decision names has gone on to a later one, or was pointed elsewhere since. */
async function isSuperseded(promoter: Promoter, { stage, rollout }: Question, entry: LedgerEntry): Promise<boolean> {
  const counter = readDecision(statementOf(entry)).sealane_promotion.counter ?? 0;
  const { groups } = stageOf(promoter, stage).channel;
  const pointed = (await ordersOf(promoter, stage))
    .filter(({ order, entry: { index } }) => isPointing(order) && index > entry.index)
    .flatMap(({ order }) => order.groups);
  return rollout.every((name) => pointed.includes(name) || (groups.find((group) => group.name === name)?.counter ?? 0) > counter);
}

/** Waybill into content, channel, trust: in that order, so a crash leaves the old lane or the new one. */
async function publishDecision(promoter: Promoter, question: Question, entry: LedgerEntry): Promise<void> {
  const { counter } = readDecision(statementOf(entry)).sealane_promotion;
  if (counter === null)
    throw new PromoterError('INTERNAL', `publish decision ${entry.statementDigest}: expected a PASSED one, got a refusal`);
  const waybill = await buildWaybill(promoter, question, entry);
  reached('promote:waybill-written');
  const choice = { release: question.release, waybill: sha256(waybill), length: waybill.length, counter };
  const channel = setChannelGroups(promoter, question.stage, question.rollout, choice);
  await publishLane(promoter, new Map([[question.stage, channel]]));
  reached('promote:published');
}

/** The exit code of an outcome and the code behind it. */
export function exitOf(outcome: Outcome): { readonly exit: 0 | 3 | 5; readonly code: ErrorCode | null } {
  if (outcome.decision === 'passed')
    return outcome.published || outcome.statement === null ? { exit: 0, code: null } : { exit: 5, code: 'LOG_WITNESS' };
  const bad = outcome.checks.find(({ verdict }) =>
    outcome.decision === 'refused' ? verdict === 'fail' || verdict === 'error' : verdict === 'pending',
  );
  return { exit: outcome.decision === 'refused' ? 3 : 5, code: bad?.code ?? null };
}
