/** `urn:sealane:secret:v1`: a value of a secret was sealed to one site. It names the sealed bytes, and never says anything of the value. */
import { type Digest, parseDigest, PREDICATE, SEALING_RECIPIENT, type Statement } from '@sealane/core';
import { z } from 'zod';
import { digestShape, keyIdShape, nameShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate. `version` counts the values of one secret at one site from 1; `sealed` is the digest of the sealed bytes, `recipient` to whom. */
export type SecretPredicate = {
  readonly stage: string;
  readonly site: { readonly name: string; readonly keyId: string };
  readonly secret: string;
  readonly version: number;
  readonly recipient: string;
  readonly sealed: Digest;
  readonly issuedAt: string;
};

/** A key of a site to which values are sealed: X25519, as age writes it. */
export const recipientShape = z.string().regex(SEALING_RECIPIENT);

/** Zod's shape of the predicate. */
export const secretShape = z.strictObject({
  stage: nameShape,
  site: z.strictObject({ name: nameShape, keyId: keyIdShape }),
  secret: nameShape,
  version: z.int().min(1),
  recipient: recipientShape,
  sealed: digestShape,
  issuedAt: timeShape,
});

const format: PredicateFormat<SecretPredicate> = { what: 'secret statement', predicateType: PREDICATE.secret, shape: secretShape };

/** Reads a secret statement. @throws TrustError `TRUST_MALFORMED` */
export function readSecret(statement: Statement): SecretPredicate {
  return readPredicate(format, statement);
}

/** The payload of a secret statement; its subjects are the sealed bytes and the site's key. @throws TrustError `TRUST_MALFORMED` */
export function secretStatement(predicate: SecretPredicate): Uint8Array {
  const site = { name: predicate.site.name, digest: parseDigest(`sha256:${predicate.site.keyId}`) };
  return writePredicate(format, [{ name: predicate.secret, digest: predicate.sealed }, site], predicate);
}
