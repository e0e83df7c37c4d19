/** Ed25519 signatures, which checkpoints and cosignatures have. */
import { createHash, createPublicKey, verify } from 'node:crypto';

/** Signatures that hold, by the hash of key, signature and data: a checkpoint is read again wherever it is used, 120 µs each time, and its hash takes 5. */
const holding = new Set<string>();
/** Signatures that are kept: some 100 bytes each. */
const MAX_HOLDING = 4096;

/** Whether `signature` (64 bytes) over `data` is by the Ed25519 key of 32 bytes. */
export function verifyEd25519(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const name = createHash('sha256').update(publicKey).update(signature).update(data).digest('base64');
  if (holding.has(name)) return true;
  // as JWK: OpenSSL's DER decoder takes five times as long, longer than the check itself
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') } });
  if (!verify(null, data, key, signature)) return false;
  if (holding.size >= MAX_HOLDING) holding.clear();
  holding.add(name);
  return true;
}
