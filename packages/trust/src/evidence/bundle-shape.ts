/** The fields of a bundle that the lane writes. Unknown ones are refused, as cosign does: a bundle has one meaning for every verifier. */
import { z } from 'zod';
import { jsonObjectShape } from '../policy/shapes.js';

/** Both spellings of v0.3. */
const MEDIA_TYPES = ['application/vnd.dev.sigstore.bundle.v0.3+json', 'application/vnd.dev.sigstore.bundle+json;version=0.3'] as const;

/** Base64 whose bytes are read later, strictly. */
const bytes = z.string().max(131_072);
/** protobuf JSON writes 64-bit numbers as text; beyond 2^53 they would be rounded. */
const index = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,15})$/)
  .refine((text) => Number.isSafeInteger(Number(text)), 'expected a number below 2^53');
/** The first entry of a log has the index 0, and its first tree a proof without hashes: protobuf JSON leaves both out, as cosign writes it. */
const logIndex = index.default('0');

const tlogEntryShape = z.strictObject({
  logIndex,
  logId: z.strictObject({ keyId: bytes }),
  kindVersion: z.strictObject({ kind: z.literal('hashedrekord'), version: z.literal('0.0.2') }),
  inclusionProof: z.strictObject({
    logIndex,
    rootHash: bytes,
    treeSize: index,
    // a tree of 2^63 entries needs no more
    hashes: z.array(z.string().length(44)).max(64).default([]),
    checkpoint: z.strictObject({ envelope: z.string().max(65_536) }),
  }),
  canonicalizedBody: bytes,
});

/** Signed by a key, named by hint; or keyless, with a certificate and one timestamp. */
const materialShape = z
  .strictObject({
    publicKey: z.strictObject({ hint: z.string().max(256) }).exactOptional(),
    certificate: z.strictObject({ rawBytes: bytes }).exactOptional(),
    timestampVerificationData: z
      .strictObject({ rfc3161Timestamps: z.array(z.strictObject({ signedTimestamp: bytes })).length(1) })
      .exactOptional(),
    tlogEntries: z.array(tlogEntryShape).max(1).exactOptional(),
  })
  .refine(
    ({ publicKey, certificate, timestampVerificationData: time }) =>
      (publicKey === undefined) === (certificate !== undefined) && (certificate === undefined) === (time === undefined),
    'expected a public key, or a certificate with a timestamp',
  );

/** Zod's shape of a bundle: who signed, none or one log entry, a DSSE envelope (parsed by core). */
export const bundleShape = z.strictObject({
  mediaType: z.enum(MEDIA_TYPES),
  verificationMaterial: materialShape,
  dsseEnvelope: jsonObjectShape,
});

/** A bundle's fields, typed. */
export type BundleFields = z.infer<typeof bundleShape>;
/** A log entry's fields, typed. */
export type TlogEntryFields = z.infer<typeof tlogEntryShape>;
