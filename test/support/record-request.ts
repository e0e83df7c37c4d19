/** What cosign posts to the log of records. */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A digest, a signature over it, and the key that made it. */
export interface RecordSignature {
  readonly digest: string;
  readonly der: Buffer;
  readonly spki: Buffer;
}

/** The DER of a key's public half. */
export const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

/** A request as cosign makes it. */
export function recordSignature(key: KeyObject, text: string): RecordSignature {
  const digest = createHash('sha256').update(text).digest('base64');
  return { digest, der: sign('sha256', Buffer.from(text), key), spki: spkiOf(key) };
}

/** The body of the request. */
export function recordBody({ digest, der, spki }: RecordSignature, more: object = {}): object {
  const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', publicKey: { rawBytes: spki.toString('base64') } };
  return { hashedRekordRequestV002: { digest, signature: { content: der.toString('base64'), verifier }, ...more } };
}
