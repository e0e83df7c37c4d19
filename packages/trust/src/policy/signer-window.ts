/** When a signer that policy names counts. */
import type { Policy, PolicyWindow } from './policy-types.js';

/** What the log knows of a statement: who signed it, and where it is. */
export interface LoggedBy {
  readonly keyId: string;
  readonly index: number;
}

/** The window of a signer, key or identity, by id; undefined for one that policy does not name. */
export function signerWindow({ keys, identities = {} }: Pick<Policy, 'keys' | 'identities'>, id: string): PolicyWindow | undefined {
  if (Object.hasOwn(keys, id)) return keys[id];
  return Object.hasOwn(identities, id) ? identities[id] : undefined;
}

/** Whether a signer counts at a place of the log, by the window that policy gives it now. */
export function countsAt(policy: Pick<Policy, 'keys' | 'identities'>, { keyId, index }: LoggedBy): boolean {
  const window = signerWindow(policy, keyId);
  return window !== undefined && index >= window.fromIndex && (window.untilIndex === null || index < window.untilIndex);
}

/** Whether a site record is the word of a registrar: by the policy of the stage that it names, or by any where there is none of that stage any more. */
export function isRegistrarsWord(policies: readonly Policy[], row: LoggedBy & { readonly stage: string }): boolean {
  const own = policies.filter(({ stage }) => stage === row.stage);
  return (own.length > 0 ? own : policies).some((policy) => policy.registrar.includes(row.keyId) && countsAt(policy, row));
}

/** Whether a release statement is the word of an author, by any of these policies. */
export function isAuthorsWord(policies: readonly Policy[], row: LoggedBy): boolean {
  return policies.some((policy) => policy.signers.release.includes(row.keyId) && countsAt(policy, row));
}
