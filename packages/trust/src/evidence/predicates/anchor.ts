/** `urn:sealane:anchor:v1`: what another log said about a release, as this lane's promoter verified it when it was brought here. */
import { type Digest, parseCheckpoint, PREDICATE, SealaneError, sha256, type Statement, TrustError, utf8 } from '@sealane/core';
import { z } from 'zod';
import { digestShape, MAX_LIST, originShape, saltShape, textShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** Most statements that one anchor names. */
export const MAX_ANCHORED = 512;

/** A statement of the other log: its entry there, and its bundle with the proof, kept as a blob of this lane's content. */
export type AnchoredStatement = {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly logIndex: number;
  readonly bundle: { readonly digest: Digest; readonly length: number };
};

/**
 * The predicate. `log` and `witnesses` are verifier keys, of which `quorum` witnesses cosigned `checkpoint`, a signed note of `origin`. Every statement is
 * included under it.
 */
export type AnchorPredicate = {
  readonly origin: string;
  readonly log: string;
  readonly witnesses: readonly string[];
  readonly quorum: number;
  readonly checkpoint: string;
  readonly statements: readonly AnchoredStatement[];
  readonly salt?: string;
};

const vkeyShape = z.string().min(1).max(512);

/** Zod's shape of the predicate. */
export const anchorShape = z.strictObject({
  origin: originShape,
  log: vkeyShape,
  witnesses: z.array(vkeyShape).min(1).max(MAX_LIST),
  quorum: z.int().min(1).max(MAX_LIST),
  checkpoint: z
    .string()
    .min(1)
    .max(64 * 1024),
  statements: z
    .array(
      z.strictObject({
        digest: digestShape,
        predicateType: textShape.min(1),
        logIndex: z.int().min(0),
        bundle: z.strictObject({ digest: digestShape, length: z.int().min(1) }),
      }),
    )
    .min(1)
    .max(MAX_ANCHORED),
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<AnchorPredicate> = { what: 'anchor', predicateType: PREDICATE.anchor, shape: anchorShape };

/**
 * Reads an anchor; nothing in it is verified.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape, or a checkpoint that is none of its origin
 */
export function readAnchor(statement: Statement): AnchorPredicate {
  const anchor = readPredicate(format, statement);
  if (originOf(anchor.checkpoint) !== anchor.origin)
    throw new TrustError('TRUST_MALFORMED', `read anchor: expected a checkpoint of ${anchor.origin}, got another`);
  return anchor;
}

function originOf(note: string): string | undefined {
  try {
    return parseCheckpoint(note).origin;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}

/** The other log as a subject, so that its anchors are found by it: a log has no bytes of its own, so it is the hash of its URN. */
export function otherLogSubject(origin: string): Digest {
  return sha256(utf8(logUrn(origin)));
}

/** The payload of an anchor; its subjects are the release and the other log. @throws TrustError `TRUST_MALFORMED` */
export function anchorStatement(release: Digest, predicate: AnchorPredicate): Uint8Array {
  const log = { name: logUrn(predicate.origin), digest: otherLogSubject(predicate.origin) };
  return writePredicate(format, [{ digest: release }, log], predicate);
}

function logUrn(origin: string): string {
  return `urn:sealane:log:${origin}`;
}
