/** A release that any stage of the lane called back. The statement in the log may be signed by a stage that the policy of this one does not name. */
import { type Check, type Digest, PREDICATE, PromoterError, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type Policy, readRevocation, verifyTrustOf } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import { mayBeSaidAt } from '../log/who-may-say.js';
import { type Promoter, stageOf } from '../promoter.js';
import type { GateSource } from './gate-source.js';
import { verifyEntry } from './verify-entry.js';

/** A failing check when a stage's key revoked the release in the log, at an index where that key counts. */
export async function laneRevocation(source: GateSource, release: Digest): Promise<readonly Check[]> {
  for (const entry of await source.ledger.statementsAbout(release, PREDICATE.revocation)) {
    const stages = [...source.lane.stages.values()];
    const isSaid = await Promise.all(stages.map(({ policy }) => isByStage(source, policy, entry)));
    if (!isSaid.includes(true)) continue;
    const { reason } = readRevocation(statementOf(entry));
    const words = { expected: 'not revoked', actual: `revoked: ${reason}`, remedy: 'make and promote another release' };
    return [{ id: 'revoked', verdict: 'fail', ...words, evidence: [entry.statementDigest], code: 'RELEASE_REVOKED' }];
  }
  return [];
}

/** Whether somebody called a release back whose word that is: a stage, a person or an author of any stage's policy, while the key counts. */
export async function isCalledBack({ ledger, lane }: Pick<GateSource, 'ledger' | 'lane'>, release: Digest): Promise<boolean> {
  const policies = [...lane.stages.values()].map(({ policy }) => policy);
  const said = await ledger.statementsAbout(release, PREDICATE.revocation);
  return said.some((entry) => mayBeSaidAt(policies, entry, statementOf(entry)));
}

async function isByStage(source: GateSource, policy: Policy, entry: LedgerEntry): Promise<boolean> {
  try {
    const { keyId } = await verifyEntry(source, entry, verifyTrustOf(policy));
    return policy.chain.at(-1)?.keys.includes(keyId) === true;
  } catch (error) {
    // by a key that had ended, or that the policy does not know: no revocation of this stage
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
