/** A release that any stage of the lane called back. The statement in the log may be signed by a stage that the policy of this one does not name. */
import { type Check, type Digest, PREDICATE, PromoterError, SealaneError } from '@sealane/core';
import { readRevocation, verifyLedgerRow, verifyTrustOf } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { type GateSource, ledgerRow } from './gate-input.js';

/** A failing check when a stage's key revoked the release in the log, at an index where that key counts. */
export async function laneRevocation(source: GateSource, release: Digest): Promise<readonly Check[]> {
  for (const entry of await source.ledger.statementsAbout(release, PREDICATE.revocation)) {
    const row = await ledgerRow(source, entry);
    if (![...source.lane.stages.values()].some(({ policy }) => isByStage(policy, row))) continue;
    const { reason } = readRevocation(statementOf(entry));
    const words = { expected: 'not revoked', actual: `revoked: ${reason}`, remedy: 'make and promote another release' };
    return [{ id: 'revoked', verdict: 'fail', ...words, evidence: [entry.statementDigest], code: 'RELEASE_REVOKED' }];
  }
  return [];
}

function isByStage(policy: Parameters<typeof verifyTrustOf>[0], row: Parameters<typeof verifyLedgerRow>[0]): boolean {
  const signers = policy.chain.at(-1)?.keys ?? [];
  try {
    verifyLedgerRow(row, { trust: verifyTrustOf(policy), signers });
    return true;
  } catch (error) {
    // another stage's, or by a key that had ended: no revocation of this stage
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

/** @throws PromoterError `RELEASE_REVOKED` the channel of the stage lists the release as revoked */
export function expectNotRevoked(promoter: Promoter, stage: string, release: Digest): void {
  const reason = stageOf(promoter, stage).channel.revoked.find((revoked) => revoked.release === release)?.reason;
  if (reason !== undefined)
    throw new PromoterError('RELEASE_REVOKED', `point ${stage} at ${release}: expected a release that is not revoked, it is: ${reason}`, {
      release,
      stage,
    });
}
