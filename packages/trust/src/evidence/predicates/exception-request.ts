/** `urn:sealane:exception-request:v1`: a site asks for an exception that it would use itself. Signed by the site, carried by hand; it grants nothing. */
import { type Digest, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { digestShape, keyIdShape, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type GrantedRole, grantedRoleShape, SITE_EXCEPTION_KINDS, type SiteExceptionKind } from './exception.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate. `keyId` is the key that signs it; `at` the site's trusted time; whoever grants repeats `nonce`. */
export type ExceptionRequestPredicate = {
  readonly kind: SiteExceptionKind;
  readonly release: Digest;
  readonly stage: string;
  readonly site: string;
  readonly keyId: string;
  readonly role?: GrantedRole;
  readonly reason: string;
  readonly at: string;
  readonly nonce: string;
};

/** Zod's shape of the predicate. */
export const exceptionRequestShape = z.strictObject({
  kind: z.enum(SITE_EXCEPTION_KINDS),
  release: digestShape,
  stage: nameShape,
  site: nameShape,
  keyId: keyIdShape,
  role: grantedRoleShape.exactOptional(),
  reason: textShape.min(1),
  at: timeShape,
  nonce: saltShape,
});

const format: PredicateFormat<ExceptionRequestPredicate> = {
  what: 'exception request',
  predicateType: PREDICATE.exceptionRequest,
  shape: exceptionRequestShape,
};

/** Reads a request. @throws TrustError `TRUST_MALFORMED` another shape, or a role in one of a kind that has none */
export function readExceptionRequest(statement: Statement): ExceptionRequestPredicate {
  const request = readPredicate(format, statement);
  if ((request.kind === 'local-role') !== (request.role !== undefined))
    throw new TrustError('TRUST_MALFORMED', `read exception request: expected a role in local-role and in no other, got ${request.kind}`);
  return request;
}

/** The payload of a request; its subject is the release. @throws TrustError `TRUST_MALFORMED` */
export function exceptionRequestStatement(predicate: ExceptionRequestPredicate): Uint8Array {
  return writePredicate(format, [{ digest: predicate.release }], predicate);
}
