/**
 * What a bundle says something about. `@sigstore/verify` checks that an envelope was signed and never looks into it: a statement about other
 * bytes, or bytes that are no statement at all, pass there with any artifact.
 */
import { type Digest, digestHex, INTOTO_PAYLOAD_TYPE, type JsonValue, LIMITS, parseStrictJson } from '@sealane/core';
import { z } from 'zod';
import { parseShape } from '../policy/document.js';
import { asRefusal, refused } from './bundle-error.js';

/** What was signed: its SHA-256, and its bytes where they are at hand. */
export interface SignedArtifact {
  readonly digest: Digest;
  readonly bytes?: Uint8Array;
}

/** Both versions of the statement that public builders write; digest sets may name other algorithms than SHA-256. */
const statementShape = z.looseObject({
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  predicateType: z.string().min(1).max(2000),
  subject: z
    .array(z.looseObject({ digest: z.record(z.string().max(64), z.string().max(256)) }))
    .min(1)
    .max(10_000),
});

/**
 * The predicate type of an in-toto statement that has the artifact among its subjects.
 *
 * @throws TrustError `BUNDLE_MALFORMED` another payload type, or no statement; `BUNDLE_SUBJECT` about other bytes
 */
export function statementAbout(artifact: Digest, payloadType: string, payload: Uint8Array): string {
  if (payloadType !== INTOTO_PAYLOAD_TYPE) {
    throw refused('BUNDLE_MALFORMED', `payload type ${INTOTO_PAYLOAD_TYPE}`, JSON.stringify(payloadType.slice(0, 80)));
  }
  const { predicateType, subject } = asRefusal('BUNDLE_MALFORMED', 'read its statement', () => {
    const value: JsonValue = parseStrictJson(payload, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth });
    return parseShape('in-toto statement', statementShape, value);
  });
  if (!subject.some(({ digest }) => Object.hasOwn(digest, 'sha256') && digest.sha256 === digestHex(artifact))) {
    throw refused('BUNDLE_SUBJECT', `a statement about ${artifact}`, `one about ${subject.length} others`);
  }
  return predicateType;
}
