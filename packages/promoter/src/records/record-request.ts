/**
 * What Rekor v2 is asked to log, as cosign sends it: a digest and an ECDSA P-256 signature over it. The envelope or file itself does not come, so all
 * that can be checked is checked: that the key signed this digest.
 */
import { p256 } from '@noble/curves/nist.js';
import {
  base64,
  concatBytes,
  encodeLogLeaf,
  fromBase64,
  keyIdOf,
  type LogLeaf,
  p256PublicKey,
  parseStrictJson,
  PromoterError,
  SealaneError,
  sha256Raw,
} from '@sealane/core';
import { z } from 'zod';

/** Digest, signature and key with room to spare. */
export const MAX_REQUEST_BYTES = 16 * 1024;
const DIGEST_BYTES = 32;
/** SubjectPublicKeyInfo of P-256 ends in the point: a byte that says "uncompressed", and two coordinates. */
const POINT_BYTES = 65;
/** As `verify` of node:crypto does with DER: r and s as they come; the digest is made by whoever signed. */
const PREHASHED = { prehash: false, format: 'der', lowS: false } as const;

const text = z.string().max(4096);
const requestShape = z.strictObject({
  hashedRekordRequestV002: z.strictObject({
    digest: text,
    signature: z.strictObject({
      content: text,
      verifier: z.strictObject({ keyDetails: z.literal('PKIX_ECDSA_P256_SHA_256'), publicKey: z.strictObject({ rawBytes: text }) }),
    }),
  }),
});

/** A record that somebody wants logged. */
export interface RecordRequest {
  /** Key id of the signer. */
  readonly keyId: string;
  /** The leaf: the entry body that verifiers make again from their bundle. */
  readonly leaf: Uint8Array;
  /** One name for the signature, whichever of its two forms it came in: anybody can make one of the other. */
  readonly name: string;
  /** Whether the key signed the digest. */
  readonly isSigned: () => boolean;
}

/**
 * Reads a request.
 *
 * @throws PromoterError `RECORD_MALFORMED` anything but a hashedrekord by ECDSA P-256 with SHA-256 and a public key
 */
export function readRecordRequest(bytes: Uint8Array): RecordRequest {
  try {
    return read(bytes);
  } catch (cause) {
    if (!(cause instanceof SealaneError) && !(cause instanceof z.ZodError) && !(cause instanceof MalformedSignature)) throw cause;
    throw new PromoterError(
      'RECORD_MALFORMED',
      `read a record: expected hashedRekordRequestV002 by ECDSA P-256 with SHA-256, got: ${cause.message.slice(0, 200)}`,
      {},
      { cause },
    );
  }
}

class MalformedSignature extends Error {}

function read(bytes: Uint8Array): RecordRequest {
  const { digest, signature } = requestShape.parse(
    parseStrictJson(bytes, { maxBytes: MAX_REQUEST_BYTES, maxDepth: 8 }),
  ).hashedRekordRequestV002;
  const [paeDigest, der, spki] = [digest, signature.content, signature.verifier.publicKey.rawBytes].map(fromBase64);
  if (paeDigest?.length !== DIGEST_BYTES || der === undefined || spki === undefined)
    throw new MalformedSignature(`expected a digest of ${DIGEST_BYTES} bytes`);
  p256PublicKey(spki);
  const point = spki.subarray(-POINT_BYTES);
  return {
    keyId: keyIdOf(spki),
    leaf: encodeLogLeaf({ paeDigest, signature: der, spki }),
    name: recordName({ spki, paeDigest, signature: der }),
    isSigned: () => p256.verify(der, paeDigest, point, PREHASHED),
  };
}

/** The name of a record by what its leaf says. */
export function recordName({ spki, paeDigest, signature }: LogLeaf): string {
  return base64(sha256Raw(concatBytes(spki, paeDigest, eitherForm(signature))));
}

/** r, and the lower of s and n − s: with one the other is a signature too. */
function eitherForm(der: Uint8Array): Uint8Array {
  const { r, s } = parseSignature(der);
  const { n } = p256.Point.CURVE();
  return new p256.Signature(r, s > n / 2n ? n - s : s).toBytes('compact');
}

function parseSignature(der: Uint8Array): { readonly r: bigint; readonly s: bigint } {
  try {
    return p256.Signature.fromBytes(der, 'der');
  } catch (cause) {
    throw new MalformedSignature(cause instanceof Error ? cause.message : 'expected DER', { cause });
  }
}
