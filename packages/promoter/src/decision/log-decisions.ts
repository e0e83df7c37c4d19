/** Verdicts into the log: each as a signed decision, all of them in one commit. A decision that is there already keeps its place. */
import { type Digest, type Signed, signStatement } from '@sealane/core';
import type { AppendResult, Ledger, LedgerEntry } from '@sealane/ledger';
import { type DecisionFields, decisionInputs, decisionPolicy, decisionStatement, readDecision, type RecordedCheck } from '@sealane/trust';
import { reached } from '../crash-point.js';
import { subjectsOf } from '../evidence/subjects.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf, stageSigner } from '../promoter.js';
import { VERSION } from '../version.js';
import { asError, type ByQuestion, eachAlone, type Failures, filterQuestions } from './each-alone.js';
import type { Question } from './gate-source.js';
import type { Judgement } from './judge.js';
import { recordedCheck } from './recorded.js';
import { lastCounter, stageDecisions } from './stage-decisions.js';

/** What was judged, and why some goes no further. */
interface Verdicts {
  readonly verdicts: ByQuestion<Judgement>;
  readonly failures: Failures;
}

/**
 * The decisions in the log: those that are there for the same question and inputs, and new ones. What cannot be signed or logged fails by itself.
 * `still`: the ledger as they were judged on.
 */
export async function logDecisions(promoter: Promoter, still: Ledger, { verdicts, failures }: Verdicts): Promise<ByQuestion<LedgerEntry>> {
  const source = { ...promoter, ledger: still };
  const known = await eachAlone(verdicts, failures, (judgement, question) => findDecision(source, question, judgement));
  const isNew = (_: Judgement, question: Question): boolean => known.has(question) && known.get(question) === undefined;
  const logged = await logNew(promoter, still, { verdicts: filterQuestions(verdicts, isNew), failures });
  return new Map([...known].flatMap(([question, entry = logged.get(question)]) => (entry === undefined ? [] : [[question, entry]])));
}

async function logNew(promoter: Promoter, still: Ledger, { verdicts, failures }: Verdicts): Promise<ByQuestion<LedgerEntry>> {
  const counters = new Map<string, number>();
  const signed = await eachAlone(verdicts, failures, (judgement, question) => signDecision(promoter, question, judgement, counters));
  if (signed.size === 0) return new Map();
  const appended = await appendAll(promoter, [...signed.values()]);
  if ('error' in appended) {
    const isSigned = (_: Judgement, question: Question): boolean => signed.has(question);
    return await logAlone(promoter, still, { verdicts: filterQuestions(verdicts, isSigned), failures, ...appended });
  }
  reached('promote:decision-logged');
  const entries = new Map((await promoter.ledger.entriesAt(appended.map(({ index }) => index))).map((entry) => [entry.index, entry]));
  return new Map(
    [...signed.keys()].flatMap((question, at) => {
      const entry = entries.get(appended[at]?.index ?? -1);
      return entry === undefined ? [] : [[question, entry]];
    }),
  );
}

async function appendAll({ ledger }: Promoter, signed: readonly Signed[]): Promise<readonly AppendResult[] | { readonly error: unknown }> {
  try {
    return await ledger.append(signed);
  } catch (error) {
    return { error };
  }
}

/** A commit is all or nothing: one decision that the ledger does not take must keep no other out. Each is looked for again, and gets its counter anew. */
async function logAlone(
  promoter: Promoter,
  still: Ledger,
  { verdicts, failures, error }: Verdicts & { readonly error: unknown },
): Promise<ByQuestion<LedgerEntry>> {
  const logged = new Map<Question, LedgerEntry>();
  for (const [question, judgement] of verdicts) {
    if (verdicts.size === 1) failures.set(question, asError(error));
    else
      for (const [, entry] of await logDecisions(promoter, still, { verdicts: new Map([[question, judgement]]), failures }))
        logged.set(question, entry);
  }
  return logged;
}

/** Signs a new decision. `counters` holds those given in this commit, by stage: each is the next after the last PASSED decision of the stage. */
async function signDecision(
  promoter: Promoter,
  { release, stage, rollout }: Question,
  judgement: Judgement,
  counters: Map<string, number>,
): Promise<Signed> {
  const { checks, input } = judgement;
  const isPassed = judgement.verdict === 'passed';
  const counter = isPassed ? 1 + (counters.get(stage) ?? (await lastCounter(promoter, stage))) : null;
  const fields: DecisionFields = {
    origin: promoter.ledger.origin,
    stage,
    version: VERSION,
    timeVerified: promoter.now(),
    policy: stageOf(promoter, stage).digest,
    inputs: inputsOf(judgement),
    result: isPassed ? 'PASSED' : 'FAILED',
    promotion: {
      counter,
      from: stageOf(promoter, stage).policy.chain.at(-1)?.from[0] ?? null,
      to: stage,
      rollout,
      approvals: checks.filter(({ id }) => id === 'approvals').flatMap(({ evidence }) => evidence),
      checks: checks.map(recordedCheck),
      release,
      judgedAt: input.time,
      salt: promoter.randomHex(),
    },
    // a refusal names the release alone: what reads no predicate must find none at an image
    ...(isPassed && { parts: subjectsOf(promoter, { digest: release, name: input.releaseDoc.name }).slice(1) }),
  };
  const signed = await signStatement(decisionStatement(fields), await stageSigner(promoter, stage));
  if (counter !== null) counters.set(stage, counter);
  return signed;
}

function inputsOf({ checks }: Judgement): readonly Digest[] {
  return [...new Set(checks.flatMap(({ evidence }) => evidence))].sort();
}

/** Keyed by release, stage, rollout, policy and sorted statement digests; a refusal also by what it refuses. */
async function findDecision(
  promoter: Promoter,
  { release, stage, rollout }: Question,
  judgement: Judgement,
): Promise<LedgerEntry | undefined> {
  const { digest: policy } = stageOf(promoter, stage);
  const [wanted, inputs, refusal] = [
    judgement.verdict === 'passed' ? 'PASSED' : 'FAILED',
    inputsOf(judgement).join(),
    refusalOf(judgement.checks.map(recordedCheck)),
  ];
  // a decision by anybody else that says the same is none: sites would refuse it, and its counter may be any
  const rows = await stageDecisions(promoter, { stage, release });
  for (const { index } of [...rows].reverse()) {
    const entry = await promoter.ledger.entry(index);
    const decision = readDecision(statementOf(entry));
    const isSame =
      decision.verificationResult === wanted &&
      decisionPolicy(decision) === policy &&
      decision.sealane_promotion.rollout.join() === rollout.join() &&
      [...decisionInputs(decision)].sort().join() === inputs &&
      (wanted === 'PASSED' || refusalOf(decision.sealane_promotion.checks) === refusal);
    if (isSame) return entry;
  }
  return undefined;
}

/** What a refusal says, without the times in it. */
function refusalOf(checks: readonly RecordedCheck[]): string {
  return checks.map(({ id, verdict, code }) => `${id}:${verdict}:${code ?? ''}`).join(' ');
}
