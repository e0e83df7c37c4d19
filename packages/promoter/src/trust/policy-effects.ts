/**
 * What a proposed policy would do to releases: which that were refused it would let through, and which that run it would refuse. Nothing is decided
 * here: decisions of the ledger are judged again, by the proposed policy in place of the published one.
 */
import { type Check, type Digest, type ErrorCode, PromoterError, SealaneError } from '@sealane/core';
import { type DecisionRecord, pastLedger } from '@sealane/ledger';
import {
  parsePolicy,
  type Policy,
  policyDigest,
  quorumThen,
  readDecision,
  secondsToTime,
  verifyTrustOf,
  type WitnessedTime,
} from '@sealane/trust';
import type { GateSource } from '../decision/gate-source.js';
import { judge, type Verdict } from '../decision/judge.js';
import { stageDecisions } from '../decision/stage-decisions.js';
import { firstCheckpoint, statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import type { StageTrust } from './lane-trust.js';
import type { Proposal } from './proposal.js';

/** Most releases of a stage that are judged again: the latest ones. An owner cannot read more. */
const MAX_JUDGED = 200;

/** Why a release is refused. */
interface Reason {
  readonly id: string;
  readonly code: ErrorCode | null;
  readonly actual: string;
}

/** A release that would fare otherwise. `decision` is the one in force: the refusal, or what let it in. */
export interface PolicyEffect {
  readonly stage: string;
  readonly release: Digest;
  readonly groups: readonly string[];
  readonly decision: Digest;
  readonly becomes: Verdict;
  /** What refuses it: under the published policy where it would be let through, else under the proposed one. */
  readonly refusedBy: readonly Reason[];
}

/** `letsIn`: refused in the past and now, no longer by the proposal. `refuses`: what groups run now, which it would not let in any more. */
export interface PolicyEffects {
  readonly letsIn: readonly PolicyEffect[];
  readonly refuses: readonly PolicyEffect[];
}

/** The effects of every policy that a proposal changes. */
export async function policyEffects(promoter: Promoter, { files }: Pick<Proposal, 'files'>): Promise<PolicyEffects> {
  const letsIn: PolicyEffect[] = [];
  const refuses: PolicyEffect[] = [];
  for (const [stage, published] of promoter.lane.stages) {
    const bytes = files.get(`policy/${stage}.json`);
    if (bytes === undefined) continue;
    const proposed = { ...published, policy: parsePolicy(bytes), digest: policyDigest(bytes), policyBytes: bytes };
    letsIn.push(...(await nowLetIn(promoter, stage, proposed)));
    refuses.push(...(await nowRefused(promoter, stage, proposed)));
  }
  return { letsIn, refuses };
}

/** The effects as lines that travel with the proposal. */
export function effectLines({ letsIn, refuses }: PolicyEffects): readonly string[] {
  const why = ({ refusedBy }: PolicyEffect): string =>
    refusedBy
      .map(({ id, actual }) => `${id}: ${actual}`)
      .join('; ')
      .slice(0, 1000);
  return [
    ...letsIn.map((each) => `policy/${each.stage}.json: would let in ${each.release} (${each.becomes}), refused until now: ${why(each)}`),
    ...refuses.map((each) => `policy/${each.stage}.json: would refuse ${each.release}, which ${each.groups.join(', ')} runs: ${why(each)}`),
  ];
}

/** Refusals that nothing has overtaken, judged by what is known today: what could be promoted the moment the owners have signed. */
async function nowLetIn(promoter: Promoter, stage: string, proposed: StageTrust): Promise<readonly PolicyEffect[]> {
  const effects: PolicyEffect[] = [];
  for (const { release, statementDigest } of lastRefusals(await stageDecisions(promoter, { stage }))) {
    const judged = async (source: GateSource): Promise<readonly Check[]> => {
      const rollout = groupsOf(source, stage);
      return (await judge(source, { release, stage, rollout }, 'expected')).checks;
    };
    const [before, after] = [reasonsIn(await judged(promoter)), await judged(withPolicy(promoter, stage, proposed))];
    if (before.length === 0 || reasonsIn(after).length > 0) continue;
    const becomes = after.some(({ verdict }) => verdict === 'pending') ? 'pending' : 'passed';
    effects.push({ stage, release, groups: groupsOf(promoter, stage), decision: statementDigest, becomes, refusedBy: before });
  }
  return effects;
}

/** The latest decision on each release where that is a refusal, newest first. */
function lastRefusals(rows: readonly DecisionRecord[]): readonly DecisionRecord[] {
  const last = new Map(rows.map((row) => [row.release, row]));
  return [...last.values()]
    .filter(({ result }) => result === 'FAILED')
    .sort((a, b) => b.index - a.index)
    .slice(0, MAX_JUDGED);
}

/** What groups run now, judged as their sites would: by what was logged before its decision, at the time that witnesses saw it. */
async function nowRefused(promoter: Promoter, stage: string, proposed: StageTrust): Promise<readonly PolicyEffect[]> {
  const effects: PolicyEffect[] = [];
  for (const { release, counter, groups } of liveReleases(proposed)) {
    const rows = await stageDecisions(promoter, { stage, release });
    const row = rows.find((each) => each.result === 'PASSED' && each.counter === counter);
    const refusedBy = row === undefined ? [] : [...notAccepted(row, proposed), ...(await reasonsAsThen(promoter, row, proposed))];
    if (row !== undefined && refusedBy.length > 0)
      effects.push({ stage, release, groups, decision: row.statementDigest, becomes: 'refused', refusedBy });
  }
  return effects;
}

interface LiveRelease {
  readonly release: Digest;
  readonly counter: number;
  readonly groups: readonly string[];
}

function liveReleases({ channel }: StageTrust): readonly LiveRelease[] {
  const releases = [...new Set(channel.groups.map(({ release }) => release))];
  return releases.map((release) => {
    const own = channel.groups.filter((group) => group.release === release);
    return { release, counter: Math.max(...own.map(({ counter }) => counter)), groups: own.map(({ name }) => name) };
  });
}

/** A decision under another policy counts only as far as the proposed one says so. */
function notAccepted(row: DecisionRecord, { policy, digest }: StageTrust): readonly Reason[] {
  const counts = row.policy === digest || policy.accepts.some((each) => each.digest === row.policy && row.index < each.belowIndex);
  return counts
    ? []
    : [{ id: 'decision', code: 'WAYBILL_STAGE_ORDER', actual: `decided under policy ${row.policy}, which it does not accept` }];
}

async function reasonsAsThen(promoter: Promoter, row: DecisionRecord, proposed: StageTrust): Promise<readonly Reason[]> {
  const { release, rollout, to: stage } = readDecision(statementOf(await promoter.ledger.entry(row.index))).sealane_promotion;
  const past = { ...promoter, ledger: pastLedger(promoter.ledger, row.index) };
  try {
    const time = await witnessedTime(promoter, row.index, proposed.policy);
    return reasonsIn((await judge(withPolicy(past, stage, proposed), { release, stage, rollout }, time)).checks);
  } catch (error) {
    // the witnesses of then are not those of the proposal: no site would take its word for when it was decided
    if (error instanceof SealaneError) return [{ id: 'witnessed', code: error.code, actual: error.message }];
    throw error;
  }
}

/** When witnesses saw a decision. @throws TrustError `LOG_WITNESS` its checkpoint has no quorum under this policy */
async function witnessedTime({ ledger }: Promoter, index: number, policy: Policy): Promise<WitnessedTime> {
  const trust = verifyTrustOf(policy);
  const note = await firstCheckpoint(ledger, index);
  const log = trust.logs.find(({ origin }) => origin === ledger.origin);
  if (log === undefined) throw new PromoterError('LOG_WITNESS', `read the checkpoint of entry ${index}: expected a log that policy names`);
  const { lowestSeconds, highestSeconds } = quorumThen(note, log, trust);
  return { lowest: secondsToTime(lowestSeconds), highest: secondsToTime(highestSeconds) };
}

function withPolicy(source: GateSource, stage: string, proposed: StageTrust): GateSource {
  return { ...source, lane: { stages: new Map([...source.lane.stages, [stage, proposed]]) } };
}

function groupsOf(source: GateSource, stage: string): readonly string[] {
  return stageOf(source, stage).policy.groups.map(({ name }) => name);
}

/** What refuses. A freeze is no part of policy: what it stops today it does not stop for good. */
function reasonsIn(checks: readonly Check[]): readonly Reason[] {
  return checks
    .filter(({ id, verdict }) => id !== 'frozen' && (verdict === 'fail' || verdict === 'error'))
    .map(({ id, code, actual }) => ({ id, code: code ?? null, actual }));
}
