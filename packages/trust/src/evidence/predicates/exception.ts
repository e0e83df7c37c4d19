/** `urn:sealane:exception:v1`: one expiring, counted permission, bound to a release, a stage and a gate. Signed by people that policy names for it. */
import { type Digest, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { digestShape, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** Most uses of one exception: a use is one decision, and a stage has few groups. */
const MAX_USES = 64;

/**
 * The predicate. People who grant it together sign one each, with the same terms: all but `reason` and `issuedAt`. `nonce` tells exceptions with
 * the same terms apart.
 */
export type ExceptionPredicate = {
  readonly kind: 'gate';
  readonly release: Digest;
  readonly stage: string;
  readonly gate: string;
  readonly uses: number;
  readonly reason: string;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
};

/** Zod's shape of the predicate. */
export const exceptionShape = z.strictObject({
  kind: z.enum(['gate']),
  release: digestShape,
  stage: nameShape,
  gate: nameShape,
  uses: z.int().min(1).max(MAX_USES),
  reason: textShape.min(1),
  nonce: saltShape,
  issuedAt: timeShape,
  expiresAt: timeShape,
});

const format: PredicateFormat<ExceptionPredicate> = { what: 'exception', predicateType: PREDICATE.exception, shape: exceptionShape };

/** Reads an exception. @throws TrustError `TRUST_MALFORMED` another shape, or one that expires before it was issued */
export function readException(statement: Statement): ExceptionPredicate {
  const exception = readPredicate(format, statement);
  if (exception.expiresAt > exception.issuedAt) return exception;
  throw new TrustError('TRUST_MALFORMED', `read exception: expected an end after ${exception.issuedAt}, got ${exception.expiresAt}`);
}

/** What people who grant an exception together must all have signed. */
export function exceptionTerms({ kind, release, stage, gate, uses, nonce, expiresAt }: ExceptionPredicate): string {
  return [kind, release, stage, gate, uses, nonce, expiresAt].join('\n');
}

/** The payload of an exception; its subject is the release. @throws TrustError `TRUST_MALFORMED` */
export function exceptionStatement(predicate: ExceptionPredicate): Uint8Array {
  return writePredicate(format, [{ digest: predicate.release }], predicate);
}
