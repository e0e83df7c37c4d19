/** Every check of a question: the gates of the stage's policy, then what the lane was told beside it. The same for a plan, a promotion and a replay. */
import type { Check } from '@sealane/core';
import { evaluateGates, type WitnessedTime } from '@sealane/trust';
import { promoterGates } from '@sealane/trust/promoter-gates';
import { freezeCheck } from './orders.js';
import { type GateSource, gateInput, type JudgedAt, type Question } from './gate-input.js';
import { laneRevocation } from './revocation.js';

/** What the checks say together. */
export type Verdict = 'passed' | 'refused' | 'pending';

/** Checks, what they say together, and the time that they were made for. */
export interface Judgement {
  readonly checks: readonly Check[];
  readonly verdict: Verdict;
  readonly time: WitnessedTime;
}

/**
 * Judges a question. Nothing is signed or logged; the same source gives the same answer.
 *
 * @throws PromoterError `RELEASE_UNKNOWN`, `STAGE_UNKNOWN`
 */
export async function judge(source: GateSource, question: Question, at: JudgedAt): Promise<Judgement> {
  const input = await gateInput(source, question, at);
  const gates = evaluateGates(input, await promoterGates(input.policy.gates.map(({ use }) => use)));
  const checks = [
    ...gates,
    ...(gates.some(({ id }) => id === 'revoked') ? [] : await laneRevocation(source, question.release)),
    ...(await freezeCheck(source, question.stage, input.time.lowest)),
  ];
  return { checks, verdict: verdictOf(checks), time: input.time };
}

/** Any failure or error refuses; else anything pending waits; a stage without gates still has its place in the order. */
function verdictOf(checks: readonly Check[]): Verdict {
  if (checks.length === 0 || checks.some(({ verdict }) => verdict === 'fail' || verdict === 'error')) return 'refused';
  return checks.some(({ verdict }) => verdict === 'pending') ? 'pending' : 'passed';
}
