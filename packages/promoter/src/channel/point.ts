/** Whether a stage's groups may be pointed at a release that passed it before. */
import { type Digest, PromoterError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { readDecision } from '@sealane/trust';
import { expectNotRevoked } from '../decision/revocation.js';
import { stageDecisions } from '../decision/stage-decisions.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** A decision that may be published again. */
export interface StandingDecision {
  readonly entry: LedgerEntry;
  readonly counter: number;
  readonly rollout: readonly string[];
}

/**
 * The last PASSED decision of the stage on a release, when all of the groups may follow it now.
 *
 * @throws PromoterError `RELEASE_REVOKED`, `STAGE_FROZEN`, `RELEASE_BELOW_FLOOR`; `WAYBILL_STAGE_ORDER` no such decision, or one for other groups
 */
export async function standingDecision(
  promoter: Promoter,
  stage: string,
  groups: readonly string[],
  release: Digest,
): Promise<StandingDecision> {
  expectNotRevoked(promoter, stage, release);
  expectNotFrozen(promoter, stage);
  const entry = await lastPassed(promoter, stage, release);
  const { counter, rollout } = readDecision(statementOf(entry)).sealane_promotion;
  const outside = groups.find((group) => !rollout.includes(group));
  if (counter === null || outside !== undefined) {
    throw new PromoterError(
      'WAYBILL_STAGE_ORDER',
      `set ${stage} to ${release}: expected a decision for group ${outside ?? ''}, got one for ${rollout.join(', ')}`,
    );
  }
  const { policy, channel } = stageOf(promoter, stage);
  const lowest = Math.max(policy.floor.counter, channel.floor?.counter ?? 0);
  if (counter < lowest)
    throw new PromoterError(
      'RELEASE_BELOW_FLOOR',
      `set ${stage} to ${release}: expected a decision with counter ${lowest} or above, got ${counter}`,
    );
  return { entry, counter, rollout };
}

function expectNotFrozen(promoter: Promoter, stage: string): void {
  const { frozen } = stageOf(promoter, stage).channel;
  if (frozen !== undefined && promoter.now() < frozen.until)
    throw new PromoterError(
      'STAGE_FROZEN',
      `set ${stage}: expected a stage that is not frozen, it is until ${frozen.until}: ${frozen.reason}`,
    );
}

async function lastPassed(promoter: Promoter, stage: string, release: Digest): Promise<LedgerEntry> {
  const rows = await stageDecisions(promoter, { stage, release });
  const row = rows.filter(({ result }) => result === 'PASSED').at(-1);
  if (row === undefined) {
    throw new PromoterError(
      'WAYBILL_STAGE_ORDER',
      `set ${stage} to ${release}: expected a PASSED decision of ${stage} for it, got none`,
      {},
      { hint: `promote it first: sealane promote RELEASE --to ${stage}` },
    );
  }
  return await promoter.ledger.entry(row.index);
}
