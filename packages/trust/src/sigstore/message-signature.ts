/** The signature of a bundle over bare bytes, checked with the bytes at hand or with their digest only. */
import { type KeyObject, verify } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import type { SignedEntity } from '@sigstore/verify';
import { digestHex, equalBytes, fromHex } from '@sealane/core';
import { refused } from './bundle-error.js';
import { verifyP256Prehashed } from './p256-prehashed.js';
import type { SignedArtifact } from './bundle-subject.js';

type MessageSignature = Extract<Bundle['content'], { $case: 'messageSignature' }>['messageSignature'];

/**
 * A message signature as `@sigstore/verify` asks about it. The digest that the bundle states is a hint that nothing signs: it is compared
 * with the artifact's and then not used.
 *
 * @throws TrustError `BUNDLE_SUBJECT` the bundle states another digest
 */
export function messageSignatureOf({ signature, messageDigest }: MessageSignature, artifact: SignedArtifact): SignedEntity['signature'] {
  const digest = fromHex(digestHex(artifact.digest));
  if (!equalBytes(messageDigest.digest, digest))
    throw refused('BUNDLE_SUBJECT', `a signature over ${artifact.digest}`, 'one over other bytes');
  const isDigest = (other: Uint8Array): boolean => equalBytes(other, digest);
  return {
    signature,
    compareSignature: (other) => equalBytes(other, signature),
    compareDigest: isDigest,
    compareSignedDigest: isDigest,
    verifySignature: (key: KeyObject) => {
      if (artifact.bytes !== undefined) return verify('sha256', artifact.bytes, key, signature);
      if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
        throw refused(
          'BUNDLE_UNVERIFIED',
          'a P-256 key, where only the digest of the artifact is given',
          `one of kind ${String(key.asymmetricKeyType)}: name the file`,
        );
      }
      return verifyP256Prehashed(key, digest, signature);
    },
  };
}
