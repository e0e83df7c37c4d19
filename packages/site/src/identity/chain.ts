/**
 * A certificate that was brought to this site: whether it is for this site's name and key, by the authority that the site was given.
 *
 * Certificates open doors elsewhere and nothing here: what is installed never rests on one.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { SiteError } from '@sealane/core';

/** Three certificates of less than 2 KiB each. */
export const MAX_CHAIN_BYTES = 16 * 1024;

/** What a certificate of this site says. `serial` hex; times RFC 3339. */
export interface IdentityFacts {
  readonly name: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

/** What it must be for. `now` is the site's trusted time. */
export interface WantedIdentity {
  readonly site: string;
  readonly stage: string;
  readonly root: Uint8Array;
  readonly now: string;
}

/** A chain that was found right: facts, the leaf to try keys with, and the PEM of all but the root. */
export interface VerifiedChain {
  readonly facts: IdentityFacts;
  readonly isFor: (key: KeyObject) => boolean;
  readonly pem: string;
}

/**
 * Verifies a chain, its own certificate first and the issuer's second.
 *
 * @throws SiteError `CERTIFICATE_INVALID` malformed, another name, another authority, an authority itself, or expired (`data.notAfter`)
 */
export function verifyChain(pem: Uint8Array, { site, stage, root: rootPem, now }: WantedIdentity): VerifiedChain {
  const [leaf, issuer] = readChain(pem);
  const [root] = readChain(rootPem);
  if (leaf === undefined || issuer === undefined || root === undefined) throw invalid(site, 'its certificate and the issuer’s', 'fewer');
  const isIssued =
    issuer.ca && issuer.checkIssued(root) && issuer.verify(root.publicKey) && leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
  if (!isIssued) throw invalid(site, 'one by the authority that this site was given', `one by ${oneLine(leaf.issuer)}`);
  if (leaf.ca) throw invalid(site, 'one that is no authority', 'an authority');
  const facts = factsOf(leaf);
  // the lane's own name follows: the authority is kept to it
  if (!facts.name.startsWith(`${site}.${stage}.sites.`))
    throw invalid(site, `the name ${site}.${stage}.sites.…`, oneLine(leaf.subjectAltName ?? 'none'));
  const { notAfter } = facts;
  if (notAfter <= now) throw invalid(site, `one that holds at ${now}`, `one until ${notAfter}`, { notAfter });
  return { facts, isFor: (key) => leaf.checkPrivateKey(key), pem: `${leaf.toString()}${issuer.toString()}` };
}

/** The certificates in a PEM file. @throws SiteError `CERTIFICATE_INVALID` */
export function readChain(pem: Uint8Array): readonly X509Certificate[] {
  const blocks =
    Buffer.from(pem)
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new SiteError('CERTIFICATE_INVALID', 'read a certificate: expected PEM', {}, { cause });
  }
}

/** What a certificate of a site says. One with several names has none here. @throws SiteError `CERTIFICATE_INVALID` its times are none */
export function factsOf(certificate: X509Certificate): IdentityFacts {
  const [, name = ''] = /^DNS:([a-z0-9._-]+)$/.exec(certificate.subjectAltName ?? '') ?? [];
  const time = (text: string): string => {
    const ms = Date.parse(text);
    // OpenSSL reads a certificate whose times are none, and says so in their place
    if (Number.isNaN(ms)) throw new SiteError('CERTIFICATE_INVALID', `read a certificate: expected a time, got ${oneLine(text)}`);
    return `${new Date(ms).toISOString().slice(0, 19)}Z`;
  };
  return {
    name,
    serial: certificate.serialNumber.toLowerCase(),
    notBefore: time(certificate.validFrom),
    notAfter: time(certificate.validTo),
  };
}

function invalid(site: string, expected: string, got: string, data: { readonly notAfter?: string } = {}): SiteError {
  return new SiteError('CERTIFICATE_INVALID', `take in a certificate of ${site}: expected ${expected}, got ${got}`, data);
}

/** Names in a certificate are bytes that somebody else wrote. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, 200);
}
