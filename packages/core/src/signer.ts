/** Signatures over statements: ECDSA P-256 with SHA-256, the one kind that every Sigstore verifier takes. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { envelopePayload, envelopeSignature, type Envelope, INTOTO_PAYLOAD_TYPE, makeEnvelope, pae } from './dsse.js';
import { equalBytes, fromHex, hex } from './bytes.js';
import { sha256Raw } from './digest.js';
import { CoreError } from './errors.js';

/** Somebody's key, wherever it is kept. `sign` returns a DER signature; `spki` is the public key as SubjectPublicKeyInfo DER. */
export interface Signer {
  readonly keyId: string;
  readonly spki: Uint8Array;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** DER of SubjectPublicKeyInfo for P-256 up to the 64 bytes of an uncompressed point (RFC 5480, section 2). */
const P256_SPKI_PREFIX = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
const COORDINATE_BYTES = 32;
const P256_SPKI_BYTES = P256_SPKI_PREFIX.length + 2 * COORDINATE_BYTES;

/** A key's id: hex SHA-256 of its SubjectPublicKeyInfo DER. */
export function keyIdOf(spki: Uint8Array): string {
  return hex(sha256Raw(spki));
}

/**
 * A P-256 public key from SubjectPublicKeyInfo DER.
 *
 * @throws CoreError `KEY_MALFORMED` another kind of key, or not the one DER encoding of it
 */
export function p256PublicKey(spki: Uint8Array): KeyObject {
  // another encoding of one key, with a compressed point or explicit parameters, would be a second key id for it
  if (spki.length !== P256_SPKI_BYTES || !equalBytes(spki.subarray(0, P256_SPKI_PREFIX.length), P256_SPKI_PREFIX)) {
    throw new CoreError(
      'KEY_MALFORMED',
      `read a public key: expected ECDSA P-256 as SubjectPublicKeyInfo with an uncompressed point, got ${spki.length} other bytes`,
    );
  }
  const [x, y] = [coordinate(spki, P256_SPKI_PREFIX.length), coordinate(spki, P256_SPKI_PREFIX.length + COORDINATE_BYTES)];
  try {
    // as JWK: OpenSSL's DER decoder takes nearly twice as long, and a waybill asks for many keys
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
  } catch (cause) {
    throw new CoreError('KEY_MALFORMED', 'read a public key: expected a point on P-256', {}, { cause });
  }
}

function coordinate(spki: Uint8Array, at: number): string {
  return Buffer.from(spki.subarray(at, at + COORDINATE_BYTES)).toString('base64url');
}

/** Whether `signature` (DER) over `data` is by the P-256 key `spki`. A key or signature that is not well-formed is false. */
export function verifyP256(spki: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify('sha256', data, p256PublicKey(spki), signature);
  } catch (error) {
    // a malformed key verifies nothing: the caller says which key it was
    if (error instanceof CoreError) return false;
    throw error;
  }
}

/** Signs a statement's payload bytes into an envelope. */
export async function signStatement(payload: Uint8Array, signer: Signer): Promise<Envelope> {
  return makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, await signer.sign(pae(INTOTO_PAYLOAD_TYPE, payload)));
}

/** Whether the envelope's one signature is by `spki` over its type and payload. */
export function verifyEnvelope(envelope: Envelope, spki: Uint8Array): boolean {
  return verifyP256(spki, pae(envelope.payloadType, envelopePayload(envelope)), envelopeSignature(envelope));
}
