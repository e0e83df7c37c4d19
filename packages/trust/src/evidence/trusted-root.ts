/**
 * `trusted_root.json`: the sigstore TrustedRoot of a lane, generated from policy, so that cosign, sigstore-python and
 * `@sigstore/verify` check a lane's bundles with nothing of ours. A file that differs from the policy is `TRUST_MISMATCH`.
 */
import {
  base64,
  canonicalJson,
  concatBytes,
  equalBytes,
  fromBase64,
  type JsonObject,
  logId,
  parseVkey,
  sha256Raw,
  TrustError,
  type Vkey,
} from '@sealane/core';
import type { Policy, PolicyAuthority, PolicyLog } from '../policy/policy-types.js';

/** DER of SubjectPublicKeyInfo for Ed25519 up to the 32 key bytes (RFC 8410, section 4). */
const ED25519_SPKI_PREFIX = new Uint8Array([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);

/** cosign wants a start; ours bears no meaning, since keys end by log index, not by date. */
const VALID_FROM = '2024-01-01T00:00:00Z';

/** What of a policy is in it. */
type Trusted = Pick<Policy, 'logs' | 'authorities'>;

/** The TrustedRoot document that holds the logs and the authorities of a policy. */
export function trustedRootFromPolicy({ logs, authorities }: Trusted): JsonObject {
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: logs.flatMap(logInstances),
    certificateAuthorities: (authorities?.certificates ?? []).map(authority),
    ctlogs: (authorities?.ctLogs ?? []).map(ctLog),
    timestampAuthorities: (authorities?.timestamps ?? []).map(authority),
  };
}

/** The bytes of `trusted_root.json`. */
export function encodeTrustedRoot(policy: Trusted): Uint8Array {
  return canonicalJson(trustedRootFromPolicy(policy));
}

/**
 * Checks that a lane's `trusted_root.json` says what its policy says.
 *
 * @throws TrustError `TRUST_MISMATCH`
 */
export function checkTrustedRoot(bytes: Uint8Array, policy: Trusted): void {
  if (!equalBytes(bytes, encodeTrustedRoot(policy))) {
    throw new TrustError(
      'TRUST_MISMATCH',
      'compare trusted_root.json with the policy: expected the logs and authorities that the policy names, got others',
    );
  }
}

/** A log's or witness's key as SubjectPublicKeyInfo DER. */
export function logKeySpki(vkey: Pick<Vkey, 'publicKey'>): Uint8Array {
  return concatBytes(ED25519_SPKI_PREFIX, vkey.publicKey);
}

/** A log under each of its keys. Others bound a key that was replaced by time, where policy does by size. */
function logInstances({ baseUrl, vkey, past = [] }: PolicyLog): readonly JsonObject[] {
  const ended = past.map((key) => logInstance(baseUrl, key.vkey, { start: VALID_FROM, end: key.endedAt }));
  return [logInstance(baseUrl, vkey, { start: VALID_FROM }), ...ended];
}

function logInstance(baseUrl: string, text: string, validFor: JsonObject): JsonObject {
  const vkey = parseVkey(text);
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: base64(logKeySpki(vkey)),
      keyDetails: 'PKIX_ED25519',
      validFor,
    },
    // all 32 bytes of the note key hash: half of the verifiers look for this, half for the note's 4 bytes (research/interop.md, 3)
    logId: { keyId: base64(logId(vkey)) },
  };
}

function authority({ url, chain }: PolicyAuthority): JsonObject {
  return {
    subject: { organization: '', commonName: url },
    uri: url,
    certChain: { certificates: chain.map((rawBytes) => ({ rawBytes })) },
    validFor: { start: VALID_FROM },
  };
}

/** A CT log's id is the hash of its key (RFC 6962, section 3.2). */
function ctLog({ url, spki }: { readonly url: string; readonly spki: string }): JsonObject {
  return {
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: spki, keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: { start: VALID_FROM } },
    logId: { keyId: base64(sha256Raw(fromBase64(spki))) },
  };
}
