/** Refuses a key outside of its scope before anything is signed with it: gates and sites would leave the statement out. */
import { PromoterError } from '@sealane/core';
import { outsideScope, type Policy, type ScopedRelease } from '@sealane/trust';

/**
 * Passes when one of the policies lets the key sign about the release; `what` names the work in the message.
 *
 * @throws PromoterError `EVIDENCE_SCOPE`
 */
export function expectInScope(policies: readonly Policy[], release: ScopedRelease, keyId: string, what: string): void {
  const problems = policies.map((policy) => outsideScope(policy, release, keyId));
  const [first] = problems;
  if (first === undefined || problems.includes(undefined)) return;
  throw new PromoterError('EVIDENCE_SCOPE', `${what}: expected a key of the team that ${release.name} belongs to: ${first}`, { keyId });
}
