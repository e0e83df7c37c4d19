/** Every check of a question: the gates of the stage's policy, then what the lane was told beside it. The same for a plan, a promotion and a replay. */
import type { Check } from '@sealane/core';
import { evaluateGates, type GateInput } from '@sealane/trust';
import { promoterGates } from '@sealane/trust/promoter-gates';
import { freezeCheck } from './orders.js';
import { gateInput, type JudgedAt, timeOf } from './gate-input.js';
import type { GateSource, Question } from './gate-source.js';
import { laneRevocation } from './revocation.js';

/** What the checks say together. */
export type Verdict = 'passed' | 'refused' | 'pending';

/** Checks, what they say together, and what they were made from. */
export interface Judgement {
  readonly checks: readonly Check[];
  readonly verdict: Verdict;
  readonly input: GateInput;
}

/**
 * Judges a question. Nothing is signed or logged; the same source gives the same answer.
 *
 * @throws PromoterError `RELEASE_UNKNOWN`, `STAGE_UNKNOWN`
 */
export async function judge(source: GateSource, question: Question, at: JudgedAt): Promise<Judgement> {
  return await judgeInput(source, await gateInput(source, question, at));
}

/** The same question at another time: what its gates read stays, so the ledger has not changed since. */
export async function judgeAgain(source: GateSource, judgement: Judgement, at: JudgedAt): Promise<Judgement> {
  const { input } = judgement;
  const time = await timeOf(source, input.stage, at);
  const isSame = time.lowest === input.time.lowest && time.highest === input.time.highest;
  return isSame ? judgement : await judgeInput(source, { ...input, time });
}

async function judgeInput(source: GateSource, input: GateInput): Promise<Judgement> {
  const gates = evaluateGates(input, await promoterGates(input.policy.gates.map(({ use }) => use)));
  const checks = [
    ...gates,
    ...(gates.some(({ id }) => id === 'revoked') ? [] : await laneRevocation(source, input.release)),
    ...(await freezeCheck(source, input.stage, input.time.lowest)),
  ];
  return { checks, verdict: verdictOf(checks), input };
}

/** How often a time is tried: each try ends one more wait. */
const MAX_TRIES = 16;

/**
 * The earliest time at which nothing waits for time any more; null when nothing does now. When one wait is over another may begin (a window has
 * closed when the soak ends), so the question is judged again at each time that is named, until none later is.
 */
export async function earliestOf(source: GateSource, judged: Judgement): Promise<string | null> {
  let earliest = lastOf(judged.checks);
  for (let tries = 0; earliest !== null && tries < MAX_TRIES; tries += 1) {
    const then = await judgeAgain(source, judged, { lowest: earliest, highest: earliest });
    const next = lastOf(then.checks);
    if (next === null || next <= earliest) return earliest;
    earliest = next;
  }
  return earliest;
}

function lastOf(checks: readonly Check[]): string | null {
  const times = checks.flatMap(({ verdict, earliest }) => (verdict === 'pending' && earliest !== undefined ? [earliest] : []));
  return times.sort().at(-1) ?? null;
}

/** Any failure or error refuses; else anything pending waits; a stage without gates still has its place in the order. */
function verdictOf(checks: readonly Check[]): Verdict {
  if (checks.length === 0 || checks.some(({ verdict }) => verdict === 'fail' || verdict === 'error')) return 'refused';
  return checks.some(({ verdict }) => verdict === 'pending') ? 'pending' : 'passed';
}
