/**
 * What the log holds of a statement: a Rekor v2 `hashedrekord` 0.0.2 entry body, with the SHA-256 of the DSSE pre-authentication encoding.
 *
 * Verifiers rebuild these bytes from the bundle, so they are exactly RFC 8785 and nothing is optional.
 */
import { base64, equalBytes, fromBase64 } from './bytes.js';
import { readCertificate } from './certificate.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';
import { sha256Raw } from './digest.js';
import { type Envelope, envelopePayload, pae } from './dsse.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { restate } from './restate.js';
import { parseStrictJson } from './strict-json.js';

/** The parts of a leaf: what was signed (by hash), the DER signature, the signer's SubjectPublicKeyInfo DER, the certificate of a keyless one (DER). */
export interface LogLeaf {
  readonly paeDigest: Uint8Array;
  readonly signature: Uint8Array;
  readonly spki: Uint8Array;
  readonly certificate?: Uint8Array;
}

/** The leaf bytes of an envelope signed by the key `spki`, or keyless by the key of `certificate`, which then stands in its place. */
export function logLeaf(envelope: Envelope, spki: Uint8Array, certificate?: Uint8Array): Uint8Array {
  const paeDigest = sha256Raw(pae(envelope.payloadType, envelopePayload(envelope)));
  const signature = fromBase64(envelope.signatures[0].sig);
  return encodeLogLeaf({ paeDigest, signature, spki, ...(certificate === undefined ? {} : { certificate }) });
}

/** The leaf bytes of its parts. */
export function encodeLogLeaf({ paeDigest, signature, spki, certificate }: LogLeaf): Uint8Array {
  return canonicalJson({
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: base64(paeDigest) },
        signature: {
          content: base64(signature),
          verifier: {
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            ...(certificate === undefined
              ? { publicKey: { rawBytes: base64(spki) } }
              : { x509Certificate: { rawBytes: base64(certificate) } }),
          },
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
  const verifier = at(record, 'signature', 'verifier');
  return {
    paeDigest: fromBase64(textAt(record, 'data', 'digest')),
    signature: fromBase64(textAt(record, 'signature', 'content')),
    ...(at(verifier, 'x509Certificate') === undefined
      ? { spki: fromBase64(textAt(verifier, 'publicKey', 'rawBytes')) }
      : certified(fromBase64(textAt(verifier, 'x509Certificate', 'rawBytes')))),
  };
}

function certified(certificate: Uint8Array): Pick<LogLeaf, 'spki' | 'certificate'> {
  return { spki: readCertificate(certificate).spki, certificate };
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
