/** Checkpoints whose quorum was verified, by the very trust that it was verified against: most statements share a few. */
import type { QuorumCheckpoint } from '@sealane/core';
import { quorumOnce, type TrustedLog, type VerifyTrust } from '@sealane/trust';

/** Checkpoints that are remembered for one policy: some 500 bytes each. */
const MAX_QUORUMS = 10_000;

const known = new WeakMap<VerifyTrust, Map<string, QuorumCheckpoint>>();

/** What is remembered of this trust, for `VerifyOptions`. */
export function quorumsOf(trust: VerifyTrust): Map<string, QuorumCheckpoint> {
  const quorums = known.get(trust) ?? new Map<string, QuorumCheckpoint>();
  if (quorums.size > MAX_QUORUMS) quorums.clear();
  known.set(trust, quorums);
  return quorums;
}

/** As `quorumThen`, each checkpoint once. @throws TrustError as `quorumThen` */
export function quorumKnown(note: string, log: TrustedLog, trust: VerifyTrust): QuorumCheckpoint {
  return quorumOnce(note, log, { trust, quorums: quorumsOf(trust) });
}
