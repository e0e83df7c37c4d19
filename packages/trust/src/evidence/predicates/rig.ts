/** `urn:sealane:rig:v1`: the registrar enrols a test rig: its name, its own key, the template it is built from, the units it consists of. */
import { type Digest, digestHex, fromBase64, parseDigest, PREDICATE, sha256, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { base64Shape, digestShape, keyIdShape, nameShape, saltShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/**
 * The predicate. `key.id` = hex SHA-256 of the SPKI DER in `key.spki` (base64); `template` = digest of whatever the rig is built from;
 * `inventory` = digest of the CycloneDX document of the rig as it stood at `builtAt`, freshly built.
 */
export type RigPredicate = {
  readonly rig: string;
  readonly key: { readonly id: string; readonly spki: string };
  readonly template: Digest;
  readonly inventory: Digest;
  readonly builtAt: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const rigShape = z.strictObject({
  rig: nameShape,
  key: z.strictObject({ id: keyIdShape, spki: base64Shape }),
  template: digestShape,
  inventory: digestShape,
  builtAt: timeShape,
  salt: saltShape,
});

const format: PredicateFormat<RigPredicate> = { what: 'rig record', predicateType: PREDICATE.rig, shape: rigShape };

/**
 * Reads a rig record.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape, or the key's id is not the hash of the key
 */
export function readRig(statement: Statement): RigPredicate {
  const record = readPredicate(format, statement);
  const actual = digestHex(sha256(fromBase64(record.key.spki)));
  if (actual !== record.key.id)
    throw new TrustError(
      'TRUST_MALFORMED',
      `read rig record: expected key.id ${record.key.id} to be the SHA-256 of key.spki, got ${actual}`,
    );
  return record;
}

/** The payload of a rig record; its subject is the rig's key. @throws TrustError `TRUST_MALFORMED` */
export function rigStatement(predicate: RigPredicate): Uint8Array {
  return writePredicate(format, [{ name: predicate.rig, digest: keySubject(predicate.key.id) }], predicate);
}

/** A key as the subject of a statement. */
export function keySubject(keyId: string): Digest {
  return parseDigest(`sha256:${keyId}`);
}
