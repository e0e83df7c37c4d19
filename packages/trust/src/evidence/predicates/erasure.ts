/**
 * `urn:sealane:erasure:v1`: documents that test results name were erased, by whose order and why.
 *
 * The statements that name them stay, and so do their digests and proofs. It is about the documents and about the releases whose tests they came from, so
 * that whoever asks for either finds it.
 */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { digestShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** Documents that one statement erases: more are erased by more. */
const MAX_DOCUMENTS = 100;

/** The predicate. */
export type ErasurePredicate = {
  readonly documents: readonly Digest[];
  readonly reason: string;
  readonly issuedAt: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const erasureShape = z.strictObject({
  documents: z.array(digestShape).min(1).max(MAX_DOCUMENTS),
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
    [...predicate.documents, ...releases].map((digest) => ({ digest })),
    predicate,
  );
}
