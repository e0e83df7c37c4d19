/** `urn:sealane:site-certificate:v1`: a certificate that was issued to a site. Signed by the stage's key, so that an auditor can list them all. */
import { type Digest, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { base64Shape, digestShape, keyIdShape, nameShape, saltShape, timeShape } from '../../policy/shapes.js';
import { keySubject } from './rig.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/**
 * The predicate. `keyId` is the key of the site's record, `certifiedKeyId` the one in the certificate. `request` = digest of the file that asked for it;
 * `issuer` = SHA-256 of the issuing certificate's DER; `certificate` = its own DER in base64; `serial` in hex.
 */
export type SiteCertificatePredicate = {
  readonly site: string;
  readonly keyId: string;
  readonly stage: string;
  readonly serial: string;
  readonly certifiedKeyId: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly request: Digest;
  readonly issuer: Digest;
  readonly certificate: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const siteCertificateShape = z.strictObject({
  site: nameShape,
  keyId: keyIdShape,
  stage: nameShape,
  serial: z.string().regex(/^[0-9a-f]{2,40}$/),
  certifiedKeyId: keyIdShape,
  notBefore: timeShape,
  notAfter: timeShape,
  request: digestShape,
  issuer: digestShape,
  certificate: base64Shape,
  salt: saltShape,
});

const format: PredicateFormat<SiteCertificatePredicate> = {
  what: 'site certificate',
  predicateType: PREDICATE.siteCertificate,
  shape: siteCertificateShape,
};

/** Reads what was issued. @throws TrustError `TRUST_MALFORMED` */
export function readSiteCertificate(statement: Statement): SiteCertificatePredicate {
  return readPredicate(format, statement);
}

/** The payload; its subject is the site's key. @throws TrustError `TRUST_MALFORMED` */
export function siteCertificateStatement(predicate: SiteCertificatePredicate): Uint8Array {
  return writePredicate(format, [{ name: predicate.site, digest: keySubject(predicate.keyId) }], predicate);
}
