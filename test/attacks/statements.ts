/** Statements that an attacker signs: decisions, approvals, test results. */
import type { Digest } from '@sealane/core';
import { approvalStatement, decisionStatement } from '@sealane/trust';
import { now } from './attacker.js';
import { evidenceOf } from './log-holder.js';
import type { World } from './world.js';

/** What an attacker knows of the world. */
type Teller = Pick<World, 'lane' | 'log'>;

const SALT = '0123456789abcdef0123456789abcdef';

/** A PASSED decision of prod, as its key could sign it; fields may be replaced. */
export function decision(
  world: Teller,
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
  world: Teller,
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
