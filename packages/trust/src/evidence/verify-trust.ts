/** What statements are verified against: keys with their windows, logs and witnesses, as one stage's policy names them. */
import { fromBase64, type JsonObject, logId, parseVkey, type Vkey } from '@sealane/core';
import type { Policy } from '../policy/policy.js';
import { trustedRootFromPolicy } from './trusted-root.js';

/** A signer's key: SPKI DER, and the indexes of the log `origin` at which its signatures count (from ≤ index < until). */
export interface TrustedKey {
  readonly spki: Uint8Array;
  readonly origin: string;
  readonly fromIndex: number;
  readonly untilIndex: number | null;
}

/** A log that may hold statements. */
export interface TrustedLog {
  readonly origin: string;
  readonly vkey: Vkey;
  /** 32 bytes, as bundles name it. */
  readonly logId: Uint8Array;
}

/** Keys by id, logs, witnesses and how many of them must have cosigned. `trustedRoot` is the same logs as sigstore spells them. */
export interface VerifyTrust {
  readonly keys: ReadonlyMap<string, TrustedKey>;
  readonly logs: readonly TrustedLog[];
  readonly witnesses: readonly Vkey[];
  /** Witnesses that were replaced; see `PastWitness`. */
  readonly pastWitnesses: readonly { readonly vkey: Vkey; readonly belowSize: number }[];
  readonly quorum: number;
  readonly trustedRoot: JsonObject;
}

/** The trust that a policy (parsed, so its keys are what their ids say) gives to statements. */
export function verifyTrustOf(policy: Policy): VerifyTrust {
  return {
    keys: new Map(Object.entries(policy.keys).map(([keyId, { spki, ...window }]) => [keyId, { ...window, spki: fromBase64(spki) }])),
    logs: policy.logs.map(({ origin, vkey: text }) => {
      const vkey = parseVkey(text);
      return { origin, vkey, logId: logId(vkey) };
    }),
    witnesses: policy.witnesses.map(parseVkey),
    pastWitnesses: (policy.pastWitnesses ?? []).map(({ vkey, belowSize }) => ({ vkey: parseVkey(vkey), belowSize })),
    quorum: policy.quorum,
    trustedRoot: trustedRootFromPolicy(policy),
  };
}
