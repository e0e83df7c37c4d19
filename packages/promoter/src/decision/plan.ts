/** What the gates say to a question, as `plan` and `promote` answer it. */
import type { Check, Digest, ErrorCode } from '@sealane/core';
import type { GateInput } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import type { JudgedAt } from './gate-input.js';
import type { Question } from './gate-source.js';
import { stillLedger } from './still-ledger.js';
import { earliestOf, judge, type Judgement, type Verdict } from './judge.js';

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
  const source = { ...promoter, ledger: stillLedger(promoter.ledger, [question.release]), blobs: new Map() };
  return await outcomeOf(promoter, question, await judge(source, question, at));
}

/** A judgement as an outcome: nothing is logged yet. */
export async function outcomeOf(promoter: Promoter, question: Question, judgement: Judgement): Promise<Outcome> {
  return {
    release: question.release,
    to: question.stage,
    decision: judgement.verdict,
    checks: judgement.checks,
    input: judgement.input,
    earliest: await earliestOf(promoter, judgement),
    statement: null,
    logIndex: null,
    published: false,
  };
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
