/** What statements are verified against: keys with their windows, logs and witnesses, as one stage's policy names them. */
import { fromBase64, type JsonObject, logId, parseVkey, type Vkey } from '@sealane/core';
import type { Policy } from '../policy/policy-types.js';
import { trustedRootFromPolicy } from './trusted-root.js';

/** The indexes of the log `origin` at which a signer's statements count (from ≤ index < until). */
export interface TrustedWindow {
  readonly origin: string;
  readonly fromIndex: number;
  readonly untilIndex: number | null;
}

/** A signer's key: SPKI DER, and its window. */
export interface TrustedKey extends TrustedWindow {
  readonly spki: Uint8Array;
}

/** A key of a log. */
export interface TrustedLogKey {
  readonly vkey: Vkey;
  /** 32 bytes, as bundles name it. */
  readonly logId: Uint8Array;
}

/** A log that may hold statements: the key of today, and those that were replaced, with the size up to which they count. */
export interface TrustedLog extends TrustedLogKey {
  readonly origin: string;
  readonly past: readonly (TrustedLogKey & { readonly belowSize: number })[];
}

/**
 * Keys by id, who signs keyless by the id of the identity, logs, witnesses and how many of them must have cosigned. `trustedRoot` is the same logs,
 * and the authorities of keyless signatures, as sigstore spells them; `registrar` are the keys whose rig records add keys.
 */
export interface VerifyTrust {
  readonly registrar: readonly string[];
  readonly keys: ReadonlyMap<string, TrustedKey>;
  readonly identities: ReadonlyMap<string, TrustedWindow>;
  /** Whether a certificate must have been logged by one of the CT logs. */
  readonly needsCtLog: boolean;
  readonly logs: readonly TrustedLog[];
  readonly witnesses: readonly Vkey[];
  /** Witnesses that were replaced; see `PastWitness`. */
  readonly pastWitnesses: readonly { readonly vkey: Vkey; readonly belowSize: number }[];
  readonly quorum: number;
  readonly trustedRoot: JsonObject;
}

/** Trust by the very policy that it was read from, which nobody changes in place. */
const known = new WeakMap<Policy, VerifyTrust>();

/** The trust that a policy (parsed, so its keys are what their ids say) gives to statements. */
export function verifyTrustOf(policy: Policy): VerifyTrust {
  const trust = known.get(policy) ?? trustIn(policy);
  known.set(policy, trust);
  return trust;
}

function trustIn(policy: Policy): VerifyTrust {
  return {
    registrar: policy.registrar,
    keys: new Map(Object.entries(policy.keys).map(([keyId, { spki, ...window }]) => [keyId, { ...window, spki: fromBase64(spki) }])),
    identities: new Map(Object.entries(policy.identities ?? {})),
    needsCtLog: (policy.authorities?.ctLogs.length ?? 0) > 0,
    logs: policy.logs.map(({ origin, vkey, past = [] }) => ({
      origin,
      ...logKeyOf(vkey),
      past: past.map(({ vkey: text, belowSize }) => ({ ...logKeyOf(text), belowSize })),
    })),
    witnesses: policy.witnesses.map(parseVkey),
    pastWitnesses: (policy.pastWitnesses ?? []).map(({ vkey, belowSize }) => ({ vkey: parseVkey(vkey), belowSize })),
    quorum: policy.quorum,
    trustedRoot: trustedRootFromPolicy(policy),
  };
}

/** A log's key out of its text. */
export function logKeyOf(text: string): TrustedLogKey {
  const vkey = parseVkey(text);
  return { vkey, logId: logId(vkey) };
}
