/** `urn:sealane:revocation:v1`: a release must not be installed any more; with a floor, nothing below that counter either. */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { countShape, digestShape, saltShape, textShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate. */
export type RevocationPredicate = {
  readonly release: Digest;
  readonly reason: string;
  readonly floor: number | null;
  readonly salt?: string;
};

/** Zod's shape of the predicate. */
export const revocationShape = z.strictObject({
  release: digestShape,
  reason: textShape.min(1),
  floor: countShape.nullable(),
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<RevocationPredicate> = { what: 'revocation', predicateType: PREDICATE.revocation, shape: revocationShape };

/** Reads a revocation. @throws TrustError `TRUST_MALFORMED` */
export function readRevocation(statement: Statement): RevocationPredicate {
  return readPredicate(format, statement);
}

/** The payload of a revocation; its subject is the release. @throws TrustError `TRUST_MALFORMED` */
export function revocationStatement(predicate: RevocationPredicate): Uint8Array {
  return writePredicate(format, [{ digest: predicate.release }], predicate);
}
