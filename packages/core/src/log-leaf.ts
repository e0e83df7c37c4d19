/**
 * What the log holds of a statement: a Rekor v2 `hashedrekord` 0.0.2 entry body, with the SHA-256 of the DSSE pre-authentication encoding.
 *
 * Verifiers rebuild these bytes from the bundle, so they are exactly RFC 8785 and nothing is optional.
 */
import { base64, equalBytes, fromBase64 } from './bytes.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';
import { sha256Raw } from './digest.js';
import { type Envelope, envelopePayload, pae } from './dsse.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { restate } from './restate.js';
import { parseStrictJson } from './strict-json.js';

/** The parts of a leaf: what was signed (by hash), the DER signature, the signer's SubjectPublicKeyInfo DER. */
export interface LogLeaf {
  readonly paeDigest: Uint8Array;
  readonly signature: Uint8Array;
  readonly spki: Uint8Array;
}

/** The leaf bytes of an envelope signed by the key `spki`. */
export function logLeaf(envelope: Envelope, spki: Uint8Array): Uint8Array {
  const paeDigest = sha256Raw(pae(envelope.payloadType, envelopePayload(envelope)));
  return encodeLogLeaf({ paeDigest, signature: fromBase64(envelope.signatures[0].sig), spki });
}

/** The leaf bytes of its parts. */
export function encodeLogLeaf({ paeDigest, signature, spki }: LogLeaf): Uint8Array {
  return canonicalJson({
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: base64(paeDigest) },
        signature: {
          content: base64(signature),
          verifier: { keyDetails: 'PKIX_ECDSA_P256_SHA_256', publicKey: { rawBytes: base64(spki) } },
        },
      },
    },
  });
}

/**
 * The parts of leaf bytes. Only the exact form that `encodeLogLeaf` writes is taken.
 *
 * @throws CoreError `LOG_LEAF_MALFORMED`
 */
export function parseLogLeaf(bytes: Uint8Array): LogLeaf {
  const leaf = restate('LOG_LEAF_MALFORMED', () => leafParts(bytes));
  if (!equalBytes(encodeLogLeaf(leaf), bytes)) {
    throw new CoreError('LOG_LEAF_MALFORMED', 'read a log leaf: expected exactly the fields of hashedrekord 0.0.2, got others');
  }
  return leaf;
}

function leafParts(bytes: Uint8Array): LogLeaf {
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.logLeafBytes, maxDepth: LIMITS.jsonDepth });
  const record = at(value, 'spec', 'hashedRekordV002');
  return {
    paeDigest: fromBase64(textAt(record, 'data', 'digest')),
    signature: fromBase64(textAt(record, 'signature', 'content')),
    spki: fromBase64(textAt(record, 'signature', 'verifier', 'publicKey', 'rawBytes')),
  };
}

function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Record<string, JsonValue>)[key] : undefined,
    value,
  );
}

function textAt(value: JsonValue | undefined, ...path: readonly string[]): string {
  const text = at(value, ...path);
  if (typeof text !== 'string') throw new CoreError('LOG_LEAF_MALFORMED', `read a log leaf: expected text at ${path.join('.')}`);
  return text;
}
