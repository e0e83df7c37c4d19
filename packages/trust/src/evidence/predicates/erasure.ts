/**
 * `urn:sealane:erasure:v1`: documents that test results name, or what statements say, were erased, by whose order and why.
 *
 * What names documents stays, and so do digests and proofs; of a statement its leaf does, and what it was about. It is about what was erased and about the
 * releases that it was about, so that whoever asks for either finds it.
 */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { digestShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** Documents, and statements, that one statement erases: more are erased by more. */
const MAX_DOCUMENTS = 100;
/** A statement about more is not erased: what it was about has to be said. */
const MAX_SUBJECTS = 1000;

/** What stays of a statement: its place, its digest, the hash of its leaf, its type, and what it was about. */
export type ErasedStatementRef = {
  readonly logIndex: number;
  readonly statement: Digest;
  readonly leaf: Digest;
  readonly predicateType: string;
  readonly subject: readonly Digest[];
};

/** The predicate. */
export type ErasurePredicate = {
  readonly documents: readonly Digest[];
  readonly statements?: readonly ErasedStatementRef[] | undefined;
  readonly reason: string;
  readonly issuedAt: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const erasureShape = z.strictObject({
  documents: z.array(digestShape).max(MAX_DOCUMENTS),
  statements: z
    .array(
      z.strictObject({
        logIndex: z.int().min(0),
        statement: digestShape,
        leaf: digestShape,
        predicateType: textShape.min(1),
        subject: z.array(digestShape).min(1).max(MAX_SUBJECTS),
      }),
    )
    .min(1)
    .max(MAX_DOCUMENTS)
    .optional(),
  reason: textShape.min(1),
  issuedAt: timeShape,
  salt: saltShape,
});

const format: PredicateFormat<ErasurePredicate> = { what: 'erasure', predicateType: PREDICATE.erasure, shape: erasureShape };

/** Reads an erasure. @throws TrustError `TRUST_MALFORMED` */
export function readErasure(statement: Statement): ErasurePredicate {
  return readPredicate(format, statement);
}

/** The payload of an erasure; `releases` are those whose tests the documents came from. @throws TrustError `TRUST_MALFORMED` */
export function erasureStatement(predicate: ErasurePredicate, releases: readonly Digest[]): Uint8Array {
  return writePredicate(
    format,
    [...new Set([...predicate.documents, ...(predicate.statements ?? []).map(({ statement }) => statement), ...releases])].map(
      (digest) => ({
        digest,
      }),
    ),
    predicate,
  );
}
