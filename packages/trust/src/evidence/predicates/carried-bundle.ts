/** `urn:sealane:carried-bundle:v1`: a Sigstore bundle that a keyless identity signed elsewhere travels with the release, as a blob. */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { digestShape, saltShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate: the digest of the bundle's bytes in `content/`. Its signer says that it is there, and vouches for nothing in it. */
export type CarriedBundlePredicate = {
  readonly bundle: Digest;
  /** Where it was found, as it was asked for: the tag of an image that was imported, say. */
  readonly source?: string;
  readonly salt?: string;
};

/** Zod's shape of the predicate. */
export const carriedBundleShape = z.strictObject({
  bundle: digestShape,
  source: z.string().min(1).max(1024).exactOptional(),
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<CarriedBundlePredicate> = {
  what: 'carried bundle',
  predicateType: PREDICATE.carriedBundle,
  shape: carriedBundleShape,
};

/** Reads a carried bundle. @throws TrustError `TRUST_MALFORMED` */
export function readCarriedBundle(statement: Statement): CarriedBundlePredicate {
  return readPredicate(format, statement);
}

/** The payload of a carried bundle about `release`. @throws TrustError `TRUST_MALFORMED` */
export function carriedBundleStatement(release: Digest, predicate: CarriedBundlePredicate): Uint8Array {
  return writePredicate(format, [{ digest: release }], predicate);
}
