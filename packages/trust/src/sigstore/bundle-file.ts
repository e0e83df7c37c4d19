/** A bundle's file: strict JSON of a version that is known, with signatures in the one form of base64. */
import type { Bundle } from '@sigstore/bundle';
import { fromBase64, type JsonValue, LIMITS } from '@sealane/core';
import { z } from 'zod';
import { loadSigstore } from '../evidence/sigstore.js';
import { parseJson, parseShape } from '../policy/document.js';
import { asRefusal } from './bundle-error.js';

/** Every version with a meaning: the library below takes `v0.9` for the newest. */
const MEDIA_TYPES = [
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
] as const;

/** Certificates, log entries and timestamps of one bundle: each costs a verification. */
const MAX_PARTS = 16;

// Node's decoder skips what is no base64, so a signature would have many spellings
const base64 = z.string().min(4).refine(isBase64, 'expected standard base64');
const few = z.array(z.looseObject({})).max(MAX_PARTS);

const bundleFileShape = z.looseObject({
  mediaType: z.enum(MEDIA_TYPES),
  verificationMaterial: z.looseObject({
    x509CertificateChain: z.looseObject({ certificates: few.min(1) }).nullish(),
    tlogEntries: few.min(1),
    timestampVerificationData: z.looseObject({ rfc3161Timestamps: few.nullish() }).nullish(),
  }),
  messageSignature: z
    .looseObject({ messageDigest: z.looseObject({ algorithm: z.literal('SHA2_256'), digest: base64 }), signature: base64 })
    .nullish(),
  dsseEnvelope: z.looseObject({ payload: base64, signatures: z.array(z.looseObject({ sig: base64 })).length(1) }).nullish(),
});

/**
 * The bundle in a file; nothing in it is verified.
 *
 * @throws TrustError `BUNDLE_MALFORMED`
 */
export function readBundle(file: Uint8Array): Bundle {
  return asRefusal('BUNDLE_MALFORMED', 'read the bundle', () => {
    const value: JsonValue = parseJson('bundle', file, LIMITS.bundleBytes);
    parseShape('bundle', bundleFileShape, value);
    return loadSigstore().bundleFromJSON(value);
  });
}

/** Whether a file is a bundle signed with a certificate, by its shape alone. @throws TrustError `BUNDLE_MALFORMED` one that is malformed */
export function isCertificateBundle(file: Uint8Array): boolean {
  if (!certificateShape.safeParse(parseJson('bundle', file, LIMITS.bundleBytes)).success) return false;
  readBundle(file);
  return true;
}

const certificateShape = z.looseObject({
  verificationMaterial: z.union([
    z.looseObject({ certificate: z.looseObject({}) }),
    z.looseObject({ x509CertificateChain: z.looseObject({}) }),
  ]),
});

function isBase64(text: string): boolean {
  try {
    fromBase64(text);
    return true;
  } catch {
    // the only failure there is: the text is not canonical base64, which is the answer
    return false;
  }
}
