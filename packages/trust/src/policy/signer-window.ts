/** When a signer that policy names counts. */
import type { Policy, PolicyWindow } from './policy-types.js';

/** The window of a signer, key or identity, by id; undefined for one that policy does not name. */
export function signerWindow({ keys, identities = {} }: Pick<Policy, 'keys' | 'identities'>, id: string): PolicyWindow | undefined {
  if (Object.hasOwn(keys, id)) return keys[id];
  return Object.hasOwn(identities, id) ? identities[id] : undefined;
}
