/** The effects of a proposal by what a home has decided and published, for its owners to read before they sign. */
import { type DecisionRecord, pastLedger } from '@sealane/ledger';
import { readDecision } from '@sealane/trust';
import { stageDecisions } from '../decision/stage-decisions.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { changeEffects, type EffectSource, type LiveRelease, type PolicyEffect, type PolicyEffects, withBytes } from './policy-effects.js';
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
    ...letsIn.map((each) => `policy/${each.stage}.json: would let in ${each.release} (${each.becomes}), refused until now: ${why(each)}`),
    ...refuses.map((each) => `policy/${each.stage}.json: would refuse ${each.release}, which ${each.groups.join(', ')} runs: ${why(each)}`),
  ];
}

function publishedSource(promoter: Promoter): EffectSource {
  const { ledger } = promoter;
  return {
    ...promoter,
    at: 'expected',
    decided: (stage) => stageDecisions(promoter, { stage }),
    live: (stage) => offeredReleases(promoter, stage),
    before: (index) => pastLedger(ledger, index),
    witnessed: ledger,
  };
}

/** What the channel of a stage offers its groups. */
async function offeredReleases(promoter: Promoter, stage: string): Promise<readonly LiveRelease[]> {
  const { groups } = stageOf(promoter, stage).channel;
  const found: LiveRelease[] = [];
  for (const release of new Set(groups.map((group) => group.release))) {
    const own = groups.filter((group) => group.release === release);
    const counter = Math.max(...own.map((group) => group.counter));
    const rows = await stageDecisions(promoter, { stage, release });
    const decision = rows.find((each) => each.result === 'PASSED' && each.counter === counter);
    if (decision === undefined) continue;
    found.push({ decision, rollout: await rolloutOf(promoter, decision), groups: own.map(({ name }) => name) });
  }
  return found;
}

async function rolloutOf({ ledger }: Promoter, { index }: DecisionRecord): Promise<readonly string[]> {
  return readDecision(statementOf(await ledger.entry(index))).sealane_promotion.rollout;
}
