/**
 * What stages decided, as their own keys signed it. The ledger keeps what anybody had logged as a decision; who lists, counts or points by decisions reads
 * them here.
 */
import type { DecisionRecord } from '@sealane/ledger';
import { signerWindow } from '@sealane/trust';
import type { Digest } from '@sealane/core';
import { isStages } from '../log/who-may-say.js';
import { type Promoter, stageOf } from '../promoter.js';
import type { GateSource } from './gate-source.js';

/** The decisions of the stages of the lane, in log order; those of one stage, or on one release. */
export async function stageDecisions(
  { ledger, lane }: Pick<GateSource, 'ledger' | 'lane'>,
  where: { readonly stage?: string; readonly release?: Digest } = {},
): Promise<readonly DecisionRecord[]> {
  return (await ledger.decisions(where)).filter((row) => {
    const policy = lane.stages.get(row.stage)?.policy;
    return policy !== undefined && isStages(policy, row);
  });
}

/**
 * The counter of the stage's last PASSED decision; 0 before the first. One more is the next: it never falls back, also where decisions that were none were counted once.
 */
export async function lastCounter(promoter: Pick<Promoter, 'ledger' | 'lane'>, stage: string): Promise<number> {
  const { policy } = stageOf(promoter, stage);
  const keys = policy.chain.at(-1)?.keys ?? [];
  const signers = keys.flatMap((keyId) => {
    const window = signerWindow(policy, keyId);
    return window === undefined ? [] : [{ keyId, fromIndex: window.fromIndex, untilIndex: window.untilIndex }];
  });
  return (await promoter.ledger.lastPassed(stage, signers))?.counter ?? 0;
}
