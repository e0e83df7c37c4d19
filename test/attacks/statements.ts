/** Statements that an attacker signs: decisions, approvals, test results. */
import { type Digest, PREDICATE } from '@sealane/core';
import { approvalStatement, decisionStatement } from '@sealane/trust';
import { type LogHolder, now } from './attacker.js';
import type { World } from './world.js';

const SALT = '0123456789abcdef0123456789abcdef';

/** A PASSED decision of prod, as its key could sign it; fields may be replaced. */
export function decision(
  world: World,
  release: Digest,
  fields: Partial<Parameters<typeof decisionStatement>[0]['promotion']> & DecisionChanges = {},
): Uint8Array {
  const { result = 'PASSED', stage = 'prod', policy = world.log.policyDigest, inputs = [], ...promotion } = fields;
  return decisionStatement({
    origin: world.lane.origin,
    stage,
    timeVerified: now(),
    policy,
    inputs,
    result,
    promotion: {
      counter: result === 'PASSED' ? 7 : null,
      from: 'edge-preprod',
      to: stage,
      rollout: ['all'],
      approvals: [],
      checks: [],
      release,
      salt: SALT,
      ...promotion,
    },
  });
}

interface DecisionChanges {
  readonly result?: 'PASSED' | 'FAILED';
  readonly stage?: string;
  readonly policy?: Digest;
  readonly inputs?: readonly Digest[];
}

/** An approval over everything that is logged about the release now. */
export async function approval(
  world: World,
  release: Digest,
  changes: { readonly expiresAt?: string; readonly seen?: readonly Digest[]; readonly policy?: Digest } = {},
): Promise<Uint8Array> {
  const evidence = await evidenceOf(world.log, release);
  const seen = changes.seen ?? (await Promise.all(evidence.map((index) => world.log.digestOf(index)))).sort();
  return approvalStatement({
    release,
    stage: 'prod',
    rollout: ['all'],
    policy: changes.policy ?? world.log.policyDigest,
    seen,
    checkpoint: { origin: world.lane.origin, size: 0, root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' },
    verdict: 'approve',
    nonce: SALT,
    issuedAt: now(),
    expiresAt: changes.expiresAt ?? '2099-01-01T00:00:00Z',
    salt: SALT,
  });
}

const KINDS: readonly string[] = [PREDICATE.provenance, PREDICATE.testResult];

/** Provenance and test results about a release. */
export async function evidenceOf(log: LogHolder, release: Digest): Promise<readonly number[]> {
  const lists = await Promise.all(KINDS.map((kind) => log.about(release, kind)));
  return lists.flat().sort((a, b) => a - b);
}

/** Everything that an honest waybill of prod would hold about a release, but for prod's decision and approvals. */
export async function honestEntries(log: LogHolder, release: Digest): Promise<readonly number[]> {
  const lists = await Promise.all([PREDICATE.release, PREDICATE.decision].map((kind) => log.about(release, kind)));
  return [...lists.flat(), ...(await evidenceOf(log, release))].sort((a, b) => a - b);
}
