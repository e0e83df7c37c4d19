/** `urn:sealane:review:v1`: a person looked at an exception after it was used, and closes the debt that its use opened. */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { digestShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate; `exception` is the statement digest of one of its signatures. */
export type ReviewPredicate = {
  readonly exception: Digest;
  readonly reason: string;
  readonly issuedAt: string;
  readonly salt?: string;
};

/** Zod's shape of the predicate. */
export const reviewShape = z.strictObject({
  exception: digestShape,
  reason: textShape.min(1),
  issuedAt: timeShape,
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<ReviewPredicate> = { what: 'review', predicateType: PREDICATE.review, shape: reviewShape };

/** Reads a review. @throws TrustError `TRUST_MALFORMED` */
export function readReview(statement: Statement): ReviewPredicate {
  return readPredicate(format, statement);
}

/** The payload of a review; its subject is the exception. @throws TrustError `TRUST_MALFORMED` */
export function reviewStatement(predicate: ReviewPredicate): Uint8Array {
  return writePredicate(format, [{ digest: predicate.exception }], predicate);
}
