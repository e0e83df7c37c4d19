/** `urn:sealane:root:v1`: the owners' root of a version, named in the log before sites can see it. */
import { type Digest, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { digestShape, keyIdShape, MAX_LIST, timeShape } from '../../policy/shapes.js';
import type { DescribedRoot } from '../../tuf/described-root.js';
import { publishedMetadataPath } from '../../tuf/published-role.js';
import { type PredicateFormat, readPredicate, subjectDigests, writePredicate } from './statement.js';

/**
 * The predicate. `signed` is the SHA-256 of what the owners signed: the root itself, whatever signatures lie beside it. `signedBy` are the owners whose signatures
 * were in the file that is the subject, which is `length` bytes long.
 */
export type RootPredicate = {
  readonly version: number;
  readonly signed: Digest;
  readonly signedBy: readonly string[];
  readonly length: number;
  readonly expiresAt: string;
};

/** Zod's shape of the predicate. */
export const rootShape = z.strictObject({
  version: z.int().min(1),
  signed: digestShape,
  signedBy: z.array(keyIdShape).min(1).max(MAX_LIST),
  length: z.int().min(1),
  expiresAt: timeShape,
});

const format: PredicateFormat<RootPredicate> = { what: 'root', predicateType: PREDICATE.root, shape: rootShape };

/** Reads what is said of a root, and the digest of its file. @throws TrustError `TRUST_MALFORMED` */
export function readRootStatement(statement: Statement): RootPredicate & { readonly file: Digest } {
  const [file, ...others] = subjectDigests(statement);
  if (file === undefined || others.length > 0)
    throw new TrustError('TRUST_MALFORMED', `read root: expected one subject, the file, got ${statement.subject.length}`);
  return { ...readPredicate(format, statement), file };
}

/** The payload that names a root; its subject is the file. One root has one: nothing in it is of chance. @throws TrustError `TRUST_MALFORMED` */
export function rootStatement({ version, digest, lengthBytes, signed, signedBy, expiresAt }: DescribedRoot): Uint8Array {
  const subject = { name: publishedMetadataPath('root', version), digest };
  return writePredicate(format, [subject], { version, signed, signedBy, length: lengthBytes, expiresAt });
}
