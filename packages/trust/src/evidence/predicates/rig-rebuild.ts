/** `urn:sealane:rig-rebuild:v1`: a rig was built again from its template. Signed by the rig itself, or by the registrar. */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { digestShape, keyIdShape, nameShape, saltShape, timeShape } from '../../policy/shapes.js';
import { keySubject } from './rig.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate: `inventory` = digest of the CycloneDX document of the rig as it stood at `builtAt`. */
export type RigRebuildPredicate = {
  readonly rig: string;
  readonly keyId: string;
  readonly template: Digest;
  readonly inventory: Digest;
  readonly builtAt: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const rigRebuildShape = z.strictObject({
  rig: nameShape,
  keyId: keyIdShape,
  template: digestShape,
  inventory: digestShape,
  builtAt: timeShape,
  salt: saltShape,
});

const format: PredicateFormat<RigRebuildPredicate> = { what: 'rig rebuild', predicateType: PREDICATE.rigRebuild, shape: rigRebuildShape };

/** Reads a rebuild. @throws TrustError `TRUST_MALFORMED` */
export function readRigRebuild(statement: Statement): RigRebuildPredicate {
  return readPredicate(format, statement);
}

/** The payload of a rebuild; its subject is the rig's key. @throws TrustError `TRUST_MALFORMED` */
export function rigRebuildStatement(predicate: RigRebuildPredicate): Uint8Array {
  return writePredicate(format, [{ name: predicate.rig, digest: keySubject(predicate.keyId) }], predicate);
}
