/** The lane's TUF client over synchronous reads: bytes, state and time in; verified documents and the next state out. Pure. */
import { LIMITS } from '@sealane/core';
import { driveTuf, type TufRequest } from './flow.js';
import { locateFlow, refreshFlow, targetFlow, type TrustedMetadata, type TrustedTarget } from './workflow.js';
import type { TufExpiry, TufRules } from './rules.js';
import type { TufState } from './state.js';

/**
 * Reads one file below `trust/`: `metadata/2.root.json`, `targets/channel/HASH.prod.json`. Undefined = absent. May throw TrustError `TRUST_TOO_LARGE` for a
 * file of more than `maxBytes`, or return it: the client counts again.
 */
export type TufRead = (name: string, maxBytes: number) => Uint8Array | undefined;

/** Largest target of a lane: a policy. A channel is smaller still and says so itself. */
const MAX_TARGET_BYTES = LIMITS.policyBytes;

/**
 * Brings trust up to date from a lane (TUF 5.1 to 5.6.6).
 *
 * `now` is RFC 3339 in UTC. `expiry: 'medium'` waives the expiry of timestamp and snapshot, and remembers this timestamp as imported; a remembered
 * timestamp is waived under `'network'` too. `rules` is `lane` unless a public repository is read.
 *
 * @throws TrustError `TRUST_*`. The state given is never changed; `error.data.state` is what to keep: the same, with roots that were proven on the way.
 */
export function refreshTrust(input: {
  readonly state: TufState;
  readonly read: TufRead;
  readonly now: string;
  readonly expiry: TufExpiry;
  readonly rules?: TufRules;
}): TrustedMetadata {
  const run = { rules: input.rules ?? 'lane', expiry: input.expiry, now: input.now };
  return driveTuf(refreshFlow(run, input.state), readsOf(input.read));
}

/**
 * Finds `path` through the delegations, reads it, checks its length and hashes (TUF 5.6.7 and 5.7). `role` names the only role whose word is taken.
 *
 * @throws TrustError `TRUST_*`; `error.data.state` as for `refreshTrust`. `TRUST_WRONG_ROLE` when no role with authority over the path lists it.
 */
export function readTarget(input: {
  readonly trusted: TrustedMetadata;
  readonly read: TufRead;
  readonly path: string;
  readonly role?: string;
  readonly maxBytes?: number;
}): TrustedTarget {
  const answer = readsOf(input.read);
  const located = driveTuf(locateFlow(input.trusted, input.path, input.role), answer);
  return driveTuf(targetFlow(input.trusted, located, input.maxBytes ?? MAX_TARGET_BYTES), answer);
}

/** A lane is always at hand, so nothing is cached: floors alone are kept, by the caller. */
function readsOf(read: TufRead): (request: TufRequest) => Uint8Array | undefined {
  return (request) => (request.ask === 'fetch' ? read(request.name, request.maxBytes) : undefined);
}
