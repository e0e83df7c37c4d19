/**
 * What a proposed policy would do to releases: which that were refused it would let through, and which that run it would refuse. Nothing is decided
 * here: decisions of the log are judged again, by the proposed policy in place of the one before it.
 */
import { type Check, type Digest, type ErrorCode, PromoterError, SealaneError } from '@sealane/core';
import type { DecisionRecord, PastLedger } from '@sealane/ledger';
import { parsePolicy, type Policy, policyDigest, quorumThen, secondsToTime, verifyTrustOf, type WitnessedTime } from '@sealane/trust';
import type { JudgedAt } from '../decision/gate-input.js';
import type { GateSource, Question } from '../decision/gate-source.js';
import { judge, type Judgement, type Verdict } from '../decision/judge.js';
import { firstCheckpoint } from '../log/log-statements.js';
import type { StageTrust } from './lane-trust.js';

/** Most refused releases of a stage that are judged again: the latest ones. An owner cannot read more. */
export const MAX_JUDGED = 200;

/** A decision, as far as it is asked about here. */
export type Decided = Pick<DecisionRecord, 'release' | 'statementDigest' | 'result' | 'policy' | 'index'> & Pick<Question, 'rollout'>;

/** A release that groups run, and the decision that let it in there. */
export interface LiveRelease {
  readonly decision: Decided;
  readonly groups: readonly string[];
}

/** What effects are told from. Its ledger is what refusals are judged by, at the time `at`. */
export interface EffectSource extends GateSource {
  readonly at: JudgedAt;
  /** The decisions of a stage on releases that it refused once, in log order; others may be among them. */
  readonly decided: (stage: string) => Promise<readonly Decided[]>;
  /** What groups of a stage run. */
  readonly live: (stage: string) => Promise<readonly LiveRelease[]>;
  /** The ledger of the entries before a decision: what its sites judge it by. */
  readonly before: (index: number) => PastLedger;
  /** Where the checkpoint of a decision is looked up. */
  readonly witnessed: Pick<PastLedger, 'origin' | 'firstCosignedCovering'>;
  /** Takes note of each judgement. */
  readonly judged?: (judgement: Judgement) => Promise<void>;
  /** Takes note of a decision that cannot be judged again, and why. Absent: a refusal that cannot is an error, what runs and cannot is refused. */
  readonly notJudged?: (decision: Decided, error: SealaneError) => void;
}

/** A stage's policy, and the one that would take its place. */
export interface PolicyChange {
  readonly before: StageTrust;
  readonly after: StageTrust;
}

/** Why a release is refused. */
interface Reason {
  readonly id: string;
  readonly code: ErrorCode | null;
  readonly actual: string;
}

/** A release that would fare otherwise in some groups. `decision` is the one in force there: the refusal, or what let it in. */
export interface PolicyEffect {
  readonly stage: string;
  readonly release: Digest;
  readonly groups: readonly string[];
  readonly decision: Digest;
  readonly becomes: Verdict;
  /** What refuses it: under the policy before where it would be let through, else under the proposed one. */
  readonly refusedBy: readonly Reason[];
}

/** `letsIn`: refused in the past and now, no longer by the proposal. `refuses`: what groups run now, which it would not let in any more. */
export interface PolicyEffects {
  readonly letsIn: readonly PolicyEffect[];
  readonly refuses: readonly PolicyEffect[];
}

/** The effects of a change, how many refusals nothing had overtaken, and how many of these were judged again. */
export interface ChangeEffects extends PolicyEffects {
  readonly refusals: number;
  readonly judged: number;
}

/** The effects of one change of policy. */
export async function changeEffects(source: EffectSource, change: PolicyChange): Promise<ChangeEffects> {
  const refusals = standingRefusals(await source.decided(change.before.policy.stage), groupsOf(change.before));
  const judged = refusals.slice(0, MAX_JUDGED);
  const letsIn = await nowLetIn(source, change, judged);
  return { letsIn, refuses: await nowRefused(source, change), refusals: refusals.length, judged: judged.length };
}

/** A stage under another policy. @throws TrustError `TRUST_MALFORMED` */
export function withBytes(stage: StageTrust, bytes: Uint8Array): StageTrust {
  return { ...stage, policy: parsePolicy(bytes), digest: policyDigest(bytes), policyBytes: bytes };
}

/** A refusal, and the groups that nothing was decided for since. */
interface Refusal {
  readonly decision: Decided;
  readonly groups: readonly string[];
}

/** Refusals that nothing has overtaken, judged by what is known now: what could be promoted the moment the owners have signed. */
async function nowLetIn(
  source: EffectSource,
  { before, after }: PolicyChange,
  refusals: readonly Refusal[],
): Promise<readonly PolicyEffect[]> {
  const { stage } = before.policy;
  const effects: PolicyEffect[] = [];
  for (const { decision, groups } of refusals) {
    const { release, statementDigest } = decision;
    const rollout = groupsOf(after).filter((group) => groups.includes(group));
    // a stage of which all was refused is judged with the groups that it is to have
    const isAll = groups.length === groupsOf(before).length;
    if (!isAll && rollout.length === 0) continue;
    const judged = (under: StageTrust, asked: readonly string[]): Promise<readonly Check[]> =>
      checksOf(source, under, { release, stage, rollout: asked }, source.at);
    try {
      const refusedBy = reasonsIn(await judged(before, groups));
      const checks = await judged(after, isAll ? groupsOf(after) : rollout);
      if (refusedBy.length === 0 || reasonsIn(checks).length > 0) continue;
      const becomes = checks.some(({ verdict }) => verdict === 'pending') ? 'pending' : 'passed';
      effects.push({ stage, release, groups, decision: statementDigest, becomes, refusedBy });
    } catch (error) {
      if (!(error instanceof SealaneError) || source.notJudged === undefined) throw error;
      source.notJudged(decision, error);
    }
  }
  return effects;
}

/**
 * The refusals, newest first, with the groups of the stage that no later decision on the release is for: one that passed for a first group leaves the refusal for
 * the others standing. Of a rollout that names none of today's groups nothing is left once anything came after it.
 */
function standingRefusals(rows: readonly Decided[], today: readonly string[]): readonly Refusal[] {
  const decidedLater = new Map<Digest, ReadonlySet<string>>();
  const standing: Refusal[] = [];
  for (const decision of [...rows].sort((a, b) => b.index - a.index)) {
    const { release, result, rollout } = decision;
    const later = decidedLater.get(release);
    const named = today.filter((group) => rollout.includes(group));
    const groups = named.length === 0 && later === undefined ? today : named.filter((group) => later?.has(group) !== true);
    const stands = named.length === 0 ? later === undefined : groups.length > 0;
    if (result === 'FAILED' && stands) standing.push({ decision, groups });
    decidedLater.set(release, new Set([...(later ?? []), ...named]));
  }
  return standing;
}

/** What groups run now, judged as their sites would: by what was logged before its decision, at the time that witnesses saw it. */
async function nowRefused(source: EffectSource, { before, after }: PolicyChange): Promise<readonly PolicyEffect[]> {
  const { stage } = before.policy;
  const effects: PolicyEffect[] = [];
  for (const { decision, groups } of await source.live(stage)) {
    const refusedBy = [...notAccepted(decision, after), ...(await reasonsAsThen(source, decision, after))];
    const { release, statementDigest } = decision;
    if (refusedBy.length > 0) effects.push({ stage, release, groups, decision: statementDigest, becomes: 'refused', refusedBy });
  }
  return effects;
}

/** A decision under another policy counts only as far as the proposed one says so. */
function notAccepted(row: Decided, { policy, digest }: StageTrust): readonly Reason[] {
  const counts = row.policy === digest || policy.accepts.some((each) => each.digest === row.policy && row.index < each.belowIndex);
  return counts
    ? []
    : [{ id: 'decision', code: 'WAYBILL_STAGE_ORDER', actual: `decided under policy ${row.policy}, which it does not accept` }];
}

async function reasonsAsThen(source: EffectSource, decision: Decided, after: StageTrust): Promise<readonly Reason[]> {
  const { index, release, rollout } = decision;
  const { stage } = after.policy;
  const notSeen = ({ code, message }: SealaneError): readonly Reason[] => [{ id: 'witnessed', code, actual: message }];
  const time = await witnessedTime(source.witnessed, index, after.policy);
  // the witnesses of then are not those of the proposal: no site would take its word for when it was decided
  if (time instanceof SealaneError) return notSeen(time);
  try {
    const past = { ...source, ledger: source.before(index) };
    return reasonsIn(await checksOf(past, after, { release, stage, rollout }, time));
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    if (source.notJudged === undefined) return notSeen(error);
    source.notJudged(decision, error);
    return [];
  }
}

/** When witnesses saw a decision; the error `LOG_WITNESS` where its checkpoint has no quorum under this policy. */
async function witnessedTime(ledger: EffectSource['witnessed'], index: number, policy: Policy): Promise<WitnessedTime | SealaneError> {
  const trust = verifyTrustOf(policy);
  const log = trust.logs.find(({ origin }) => origin === ledger.origin);
  if (log === undefined) return new PromoterError('LOG_WITNESS', `read the checkpoint of entry ${index}: expected a log that policy names`);
  try {
    const { lowestSeconds, highestSeconds } = quorumThen(await firstCheckpoint(ledger, index), log, trust);
    return { lowest: secondsToTime(lowestSeconds), highest: secondsToTime(highestSeconds) };
  } catch (error) {
    if (error instanceof SealaneError) return error;
    throw error;
  }
}

/** What the gates say under a policy in place of the published one. */
async function checksOf(source: EffectSource, under: StageTrust, question: Question, at: JudgedAt): Promise<readonly Check[]> {
  const lane = { stages: new Map([...source.lane.stages, [question.stage, under]]) };
  const judgement = await judge({ ...source, lane }, question, at);
  await source.judged?.(judgement);
  return judgement.checks;
}

function groupsOf({ policy }: StageTrust): readonly string[] {
  return policy.groups.map(({ name }) => name);
}

/** What refuses. A freeze is no part of policy: what it stops today it does not stop for good. */
function reasonsIn(checks: readonly Check[]): readonly Reason[] {
  return checks
    .filter(({ id, verdict }) => id !== 'frozen' && (verdict === 'fail' || verdict === 'error'))
    .map(({ id, code, actual }) => ({ id, code: code ?? null, actual }));
}
