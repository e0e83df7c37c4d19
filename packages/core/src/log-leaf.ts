/**
 * What the log holds of a statement: a Rekor v2 `hashedrekord` 0.0.2 entry body, with the SHA-256 of the DSSE pre-authentication encoding.
 *
 * Verifiers rebuild these bytes from the bundle, so they are exactly RFC 8785 and nothing is optional.
 */
import { base64, fromBase64, fromUtf8, utf8 } from './bytes.js';
import { readCertificate } from './certificate.js';
import { sha256Raw } from './digest.js';
import { type Envelope, envelopePayload, pae } from './dsse.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { restate } from './restate.js';

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

/** The leaf bytes of its parts. Base64 has nothing that JSON escapes, so the canonical form is a text with places in it. */
export function encodeLogLeaf({ paeDigest, signature, spki, certificate }: LogLeaf): Uint8Array {
  const verifier = certificate === undefined ? `${KEY}${base64(spki)}` : `${CERTIFICATE}${base64(certificate)}`;
  return utf8(`${DIGEST}${base64(paeDigest)}${SIGNATURE}${base64(signature)}${VERIFIER}${verifier}${END}`);
}

/**
 * The parts of leaf bytes. Only the exact form that `encodeLogLeaf` writes is taken.
 *
 * @throws CoreError `LOG_LEAF_MALFORMED`
 */
export function parseLogLeaf(bytes: Uint8Array): LogLeaf {
  if (bytes.length > LIMITS.logLeafBytes)
    throw new CoreError('LOG_LEAF_MALFORMED', `read a log leaf: expected at most ${LIMITS.logLeafBytes} bytes, got ${bytes.length}`);
  return restate('LOG_LEAF_MALFORMED', () => leafParts(LEAF.exec(fromUtf8(bytes))?.groups));
}

// The text between the parts, members in the order of RFC 8785.
const DIGEST = '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"';
const SIGNATURE = '"},"signature":{"content":"';
const VERIFIER = '","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256",';
const KEY = '"publicKey":{"rawBytes":"';
const CERTIFICATE = '"x509Certificate":{"rawBytes":"';
const END = '"}}}}}}';
const LEAF = new RegExp(
  `^${exactly(DIGEST)}(?<digest>[^"]*)${exactly(SIGNATURE)}(?<signature>[^"]*)${exactly(VERIFIER)}` +
    `(?:${exactly(KEY)}(?<spki>[^"]*)|${exactly(CERTIFICATE)}(?<certificate>[^"]*))${exactly(END)}$`,
);

/** A pattern for a text and nothing else. */
function exactly(text: string): string {
  return text.replaceAll(/[.{}]/g, '\\$&');
}

/** Base64 is taken in its canonical form only, so that the parts have no other text. */
function leafParts(found: Readonly<Record<string, string | undefined>> | undefined): LogLeaf {
  const { digest, signature, spki, certificate } = found ?? {};
  if (digest === undefined || signature === undefined)
    throw new CoreError('LOG_LEAF_MALFORMED', 'read a log leaf: expected exactly the fields of hashedrekord 0.0.2, got others');
  return {
    paeDigest: fromBase64(digest),
    signature: fromBase64(signature),
    ...(certificate === undefined ? { spki: fromBase64(spki ?? '') } : certified(fromBase64(certificate))),
  };
}

function certified(certificate: Uint8Array): Pick<LogLeaf, 'spki' | 'certificate'> {
  return { spki: readCertificate(certificate).spki, certificate };
}
