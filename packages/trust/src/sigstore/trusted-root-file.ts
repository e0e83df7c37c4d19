/**
 * A sigstore trusted root that somebody hands us: authorities, logs, and the times between which each counts.
 *
 * `@sigstore/verify` reads a missing start as 1970 and takes any media type; the format asks for both (protobuf-specs,
 * sigstore_trustroot.proto: a `TimeRange` has a start), so a root that lost one is refused, not widened. It looks at no extension of an authority but
 * basicConstraints and keyUsage, so an authority that asks for more is refused as well, as in a policy.
 */
import { X509Certificate } from 'node:crypto';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import { type JsonValue, LIMITS, TrustError } from '@sealane/core';
import { z } from 'zod';
import { loadSigstore } from '../evidence/sigstore.js';
import { parseJson, parseShape } from '../policy/document.js';
import { asRefusal, refused } from './bundle-error.js';
import { unjudgedExtension } from './certificate-use.js';

const MEDIA_TYPES = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
] as const;

/** More authorities or logs than any instance has named in its life. */
const MAX_INSTANCES = 64;
/** Certificates of one authority, leaf to root. */
const MAX_CHAIN = 8;

const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/)
  .refine(isInstant, 'expected a time that exists');
const range = z
  .looseObject({ start: instant, end: instant.nullish() })
  .refine(({ start, end }) => end == null || Date.parse(start) <= Date.parse(end), 'expected an end at or after the start');
const bytes = z.string().min(4).max(16_384);
const logId = z.looseObject({ keyId: bytes });
const logInstance = z.looseObject({
  baseUrl: z.string().min(1).max(2000),
  publicKey: z.looseObject({ rawBytes: bytes, keyDetails: z.string(), validFor: range }),
  logId,
  checkpointKeyId: logId.nullish(),
});
const authority = z.looseObject({
  certChain: z.looseObject({
    certificates: z
      .array(z.looseObject({ rawBytes: bytes }))
      .min(1)
      .max(MAX_CHAIN),
  }),
  validFor: range,
});
const rootShape = z.looseObject({
  mediaType: z.enum(MEDIA_TYPES),
  tlogs: z.array(logInstance).max(MAX_INSTANCES).nullish(),
  ctlogs: z.array(logInstance).max(MAX_INSTANCES).nullish(),
  certificateAuthorities: z.array(authority).max(MAX_INSTANCES).nullish(),
  timestampAuthorities: z.array(authority).max(MAX_INSTANCES).nullish(),
});

/**
 * The trusted root of a file.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` no strict JSON, another media type, or a part without the time from which it counts;
 * `BUNDLE_UNVERIFIED` an authority with name constraints, or with a critical extension that nobody here judges
 */
export function readTrustedRoot(file: Uint8Array): TrustedRoot {
  const value: JsonValue = parseJson('trusted root', file, LIMITS.trustedRootBytes);
  parseShape('trusted root', rootShape, value);
  const root = rootOf(value);
  for (const { certChain } of [...root.certificateAuthorities, ...root.timestampAuthorities])
    for (const { rawBytes } of certChain?.certificates ?? []) expectJudged(rawBytes);
  return root;
}

function rootOf(value: JsonValue): TrustedRoot {
  try {
    return loadSigstore().TrustedRoot.fromJSON(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrustError('TRUST_MALFORMED', `parse trusted root: ${why}`, {}, { cause });
  }
}

function expectJudged(der: Uint8Array): void {
  const certificate = asRefusal('BUNDLE_UNVERIFIED', 'read the certificates of the trusted root', () => new X509Certificate(der));
  const oid = asRefusal('BUNDLE_UNVERIFIED', 'read the extensions of the trusted root', () => unjudgedExtension(certificate));
  if (oid === undefined) return;
  const whose = JSON.stringify(certificate.subject.slice(0, 200));
  throw refused(
    'BUNDLE_UNVERIFIED',
    'authorities in the trusted root without name constraints and with known critical extensions',
    `extension ${oid} of ${whose}`,
  );
}

/** Date.parse takes 30 February for 2 March. */
function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19);
}
