/** A release that the stage's channel calls back. The statement in the log is signed by the last stage's key, which policies of earlier stages do not know. */
import { type Check, type Digest, PromoterError } from '@sealane/core';
import { type Promoter, stageOf } from '../promoter.js';

/** A failing check when the channel of the stage lists the release as revoked. */
export function channelRevocation(promoter: Promoter, stage: string, release: Digest): readonly Check[] {
  const reason = reasonOf(promoter, stage, release);
  if (reason === undefined) return [];
  const words = { expected: 'not revoked', actual: `revoked: ${reason}`, remedy: 'make and promote another release' };
  return [{ id: 'revoked', verdict: 'fail', ...words, evidence: [], code: 'RELEASE_REVOKED' }];
}

/** @throws PromoterError `RELEASE_REVOKED` the channel of the stage lists the release as revoked */
export function expectNotRevoked(promoter: Promoter, stage: string, release: Digest): void {
  const reason = reasonOf(promoter, stage, release);
  if (reason !== undefined)
    throw new PromoterError('RELEASE_REVOKED', `point ${stage} at ${release}: expected a release that is not revoked, it is: ${reason}`, {
      release,
      stage,
    });
}

function reasonOf(promoter: Promoter, stage: string, release: Digest): string | undefined {
  return stageOf(promoter, stage).channel.revoked.find((revoked) => revoked.release === release)?.reason;
}
