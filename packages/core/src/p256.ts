/** ECDSA P-256 with SHA-256: public keys in their one DER form, and signatures by them. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { equalBytes, fromHex } from './bytes.js';
import { CoreError } from './errors.js';

/** DER of SubjectPublicKeyInfo for P-256 up to the 64 bytes of an uncompressed point (RFC 5480, section 2). */
const P256_SPKI_PREFIX = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
const COORDINATE_BYTES = 32;
const P256_SPKI_BYTES = P256_SPKI_PREFIX.length + 2 * COORDINATE_BYTES;

/** Keys that were read, by their bytes as a binary text: many statements are by few keys, and reading one takes longer than a signature by it. */
const known = new Map<string, KeyObject>();
/** Keys that are kept: some 300 bytes each. A lane names a few dozen, and each of its sites has one. */
const MAX_KNOWN = 4096;

/**
 * A P-256 public key from SubjectPublicKeyInfo DER.
 *
 * @throws CoreError `KEY_MALFORMED` another kind of key, or not the one DER encoding of it
 */
export function p256PublicKey(spki: Uint8Array): KeyObject {
  const name = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString('latin1');
  const before = known.get(name);
  if (before !== undefined) return before;
  const key = readP256(spki);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, key);
  return key;
}

function readP256(spki: Uint8Array): KeyObject {
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
  const key = keyOrNone(spki);
  return key !== undefined && verify('sha256', data, key, signature);
}

/** As `verifyP256`, on a thread of Node's pool: for many signatures, which so take every core. */
export async function verifyP256InPool(spki: Uint8Array, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const key = keyOrNone(spki);
  if (key === undefined) return false;
  return await new Promise((resolve, reject) => {
    verify('sha256', data, key, signature, (error, isBy) => {
      if (error === null) resolve(isBy);
      else reject(error);
    });
  });
}

/** A malformed key verifies nothing: the caller says which key it was. */
function keyOrNone(spki: Uint8Array): KeyObject | undefined {
  try {
    return p256PublicKey(spki);
  } catch (error) {
    if (error instanceof CoreError) return undefined;
    throw error;
  }
}
