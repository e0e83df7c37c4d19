/** The effects of a proposal by what a home has decided and published, for its owners to read before they sign. */
import { type DecisionRecord, pastLedger } from '@sealane/ledger';
import { readDecision } from '@sealane/trust';
import { stageDecisions } from '../decision/stage-decisions.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import {
  changeEffects,
  type Decided,
  type EffectSource,
  type LiveRelease,
  type PolicyEffect,
  type PolicyEffects,
  withBytes,
} from './policy-effects.js';
import type { Proposal } from './proposal.js';

/** The effects of every policy that a proposal changes. */
export async function policyEffects(promoter: Promoter, { files }: Pick<Proposal, 'files'>): Promise<PolicyEffects> {
  const letsIn: PolicyEffect[] = [];
  const refuses: PolicyEffect[] = [];
  for (const [stage, before] of promoter.lane.stages) {
    const bytes = files.get(`policy/${stage}.json`);
    if (bytes === undefined) continue;
    const effects = await changeEffects(publishedSource(promoter), { before, after: withBytes(before, bytes) });
    letsIn.push(...effects.letsIn);
    refuses.push(...effects.refuses);
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
    ...letsIn.map(
      (each) =>
        `policy/${each.stage}.json: would let in ${each.release} for ${each.groups.join(', ')} (${each.becomes}), refused until now: ${why(each)}`,
    ),
    ...refuses.map((each) => `policy/${each.stage}.json: would refuse ${each.release}, which ${each.groups.join(', ')} runs: ${why(each)}`),
  ];
}

function publishedSource(promoter: Promoter): EffectSource {
  const { ledger } = promoter;
  return {
    ...promoter,
    at: 'expected',
    decided: (stage) => refusedOnce(promoter, stage),
    live: (stage) => offeredReleases(promoter, stage),
    before: (index) => pastLedger(ledger, index),
    witnessed: ledger,
  };
}

/** The decisions of a stage on each release that it refused once. */
async function refusedOnce(promoter: Promoter, stage: string): Promise<readonly Decided[]> {
  const rows = await stageDecisions(promoter, { stage });
  const refused = new Set(rows.filter(({ result }) => result === 'FAILED').map(({ release }) => release));
  const decided: Decided[] = [];
  for (const row of rows.filter(({ release }) => refused.has(release))) decided.push(await withRollout(promoter, row));
  return decided;
}

/** What the channel of a stage offers its groups: two of them may have the same release by decisions of their own. */
async function offeredReleases(promoter: Promoter, stage: string): Promise<readonly LiveRelease[]> {
  const { groups } = stageOf(promoter, stage).channel;
  const found: LiveRelease[] = [];
  for (const [release, counter] of new Map(
    groups.map((group) => [`${group.release} ${group.counter}`, [group.release, group.counter] as const]),
  ).values()) {
    const rows = await stageDecisions(promoter, { stage, release });
    const decision = rows.find((each) => each.result === 'PASSED' && each.counter === counter);
    if (decision === undefined) continue;
    const own = groups.filter((group) => group.release === release && group.counter === counter);
    found.push({ decision: await withRollout(promoter, decision), groups: own.map(({ name }) => name) });
  }
  return found;
}

async function withRollout({ ledger }: Promoter, row: DecisionRecord): Promise<Decided> {
  const { rollout } = readDecision(statementOf(await ledger.entry(row.index))).sealane_promotion;
  return { ...row, rollout };
}
