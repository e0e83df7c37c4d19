/**
 * `urn:sealane:retirement:v1`: a site is one no more. It gives up its keys and wipes what it mirrored.
 *
 * Signed by the registrar, who made it a site: the stage's key is online and may fence a site, never have it wiped.
 */
import { PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { keyIdShape, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { keySubject } from './rig.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate. `keyId` is the key of the record that ends: a site of the same name that is enrolled anew has another one. */
export type RetirementPredicate = {
  readonly site: string;
  readonly keyId: string;
  readonly stage: string;
  readonly reason: string;
  readonly issuedAt: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const retirementShape = z.strictObject({
  site: nameShape,
  keyId: keyIdShape,
  stage: nameShape,
  reason: textShape.min(1),
  issuedAt: timeShape,
  salt: saltShape,
});

const format: PredicateFormat<RetirementPredicate> = { what: 'retirement', predicateType: PREDICATE.retirement, shape: retirementShape };

/** Reads a retirement. @throws TrustError `TRUST_MALFORMED` */
export function readRetirement(statement: Statement): RetirementPredicate {
  return readPredicate(format, statement);
}

/** The payload of a retirement; its subject is the site's key. @throws TrustError `TRUST_MALFORMED` */
export function retirementStatement(predicate: RetirementPredicate): Uint8Array {
  return writePredicate(format, [{ name: predicate.site, digest: keySubject(predicate.keyId) }], predicate);
}
