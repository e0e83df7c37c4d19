/**
 * Verification of a bundle signed with a plain key, by that key alone: what `cosign sign --key` attaches where no log is used.
 *
 * A log entry or timestamp that is in it is not looked at: with a trusted root `verifySigstoreBundle` does that.
 */
import { verify } from 'node:crypto';
import { z } from 'zod';
import { fromBase64, INTOTO_PAYLOAD_TYPE, keyIdOf, LIMITS, pae } from '@sealane/core';
import { parseJson, parseShape } from '../policy/document.js';
import { asRefusal, refused } from './bundle-error.js';
import { publicKeyOf } from './bundle-signer.js';
import { statementAbout } from './bundle-subject.js';
import type { SignedArtifact } from './bundle-subject.js';
import type { VerifiedBundle } from './verify-bundle.js';

const keyBundleShape = z.looseObject({
  mediaType: z.enum(['application/vnd.dev.sigstore.bundle.v0.3+json', 'application/vnd.dev.sigstore.bundle+json;version=0.3']),
  verificationMaterial: z.looseObject({ publicKey: z.looseObject({}) }),
  dsseEnvelope: z.looseObject({
    payload: z.string().min(4),
    payloadType: z.literal(INTOTO_PAYLOAD_TYPE),
    signatures: z.array(z.looseObject({ sig: z.string().min(4) })).length(1),
  }),
});

/**
 * Verifies one bundle about one artifact by the public key `pem`.
 *
 * @throws TrustError `BUNDLE_MALFORMED` no v0.3 bundle of one statement with one signature by a key; `BUNDLE_SIGNER` by another key; `BUNDLE_SUBJECT`
 */
export function verifyKeyBundle(bundle: Uint8Array, artifact: SignedArtifact, pem: Uint8Array): VerifiedBundle {
  const { key, der } = publicKeyOf(pem);
  const { payload, signature } = asRefusal('BUNDLE_MALFORMED', 'read the bundle', () => {
    const { dsseEnvelope } = parseShape('bundle', keyBundleShape, parseJson('bundle', bundle, LIMITS.bundleBytes));
    return { payload: fromBase64(dsseEnvelope.payload), signature: fromBase64(dsseEnvelope.signatures[0]?.sig ?? '') };
  });
  const signed = pae(INTOTO_PAYLOAD_TYPE, payload);
  // Ed25519 hashes by itself
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (!asRefusal('BUNDLE_SIGNER', 'check the signature', () => verify(algorithm, signed, key, signature)))
    throw refused('BUNDLE_SIGNER', `a signature by key ${keyIdOf(der)}`, 'one by another');
  const predicateType = statementAbout(artifact.digest, INTOTO_PAYLOAD_TYPE, payload);
  return { artifact: artifact.digest, predicateType, signer: { keyId: keyIdOf(der) }, logIndexes: [], timestamps: [] };
}
