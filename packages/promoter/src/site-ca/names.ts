/** The names in certificates of sites: `SITE.STAGE.sites.ORIGIN`, and what an authority of a lane is kept to. */
import path from 'node:path';
import { concatBytes, DER, der, PromoterError, utf8 } from '@sealane/core';
import type { Home } from '../home.js';

/** Name of the issuer's key in a home. */
export const ISSUER_KEY = 'site-ca';

/** The files of the issuer's key in a home, either of which may be there: the key, or where it is. */
export function issuerKeyFiles({ keys }: Pick<Home, 'keys'>): readonly string[] {
  return ['.pem', '.keyref'].map((suffix) => path.join(keys, `${ISSUER_KEY}${suffix}`));
}

/** Where the chain of the authority lies in a home. */
export function chainFile({ folder }: Pick<Home, 'folder'>): string {
  return path.join(folder, 'ca', 'chain.pem');
}

/** OID of name constraints (RFC 5280, section 4.2.1.10). */
export const NAME_CONSTRAINTS = '2.5.29.30';

/** Longest name in the DNS, in characters (RFC 1035, section 2.3.4). */
const MAX_DNS_NAME = 253;

/** Below this name are the sites of a lane. */
export function siteSubtree(origin: string): string {
  return `sites.${origin}`;
}

/**
 * The DNS name of a site. A stage has no dots in it, so the name says which stage is meant whatever the site is called.
 *
 * @throws PromoterError `CERTIFICATE_DENIED` the record's name or stage cannot stand in the DNS
 */
export function siteDnsName(origin: string, site: string, stage: string): string {
  const name = `${site}.${stage}.${siteSubtree(origin)}`;
  const isName =
    name.length <= MAX_DNS_NAME &&
    !stage.includes('.') &&
    name.split('.').every((label) => /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/.test(label));
  if (isName) return name;
  throw new PromoterError(
    'CERTIFICATE_DENIED',
    `name the certificate of ${site}: expected a name and a stage that can stand in the DNS, got ${site} and ${stage}`,
  );
}

/** GeneralName tags (RFC 5280, section 4.2.1.6): e-mail, DNS, URI, IP address. */
const [EMAIL, DNS, URI, IP] = [0x81, 0x82, 0x86, 0x87];

/**
 * What an authority of a lane may name: sites of this lane, in whichever kind of name, and no addresses. The kinds are those that OpenSSL and Go both
 * enforce; URIs by their host, which a `urn:` has not.
 */
export function nameConstraints(origin: string): Uint8Array {
  const subtree = (tag: number, base: Uint8Array): Uint8Array => der(DER.sequence, der(tag, base));
  const [host, below] = [utf8(siteSubtree(origin)), utf8(`.${siteSubtree(origin)}`)];
  const permitted = concatBytes(subtree(DNS, host), subtree(EMAIL, host), subtree(URI, below));
  // address and mask of nothing but zeros: every address
  const excluded = concatBytes(subtree(IP, new Uint8Array(8)), subtree(IP, new Uint8Array(32)));
  return der(DER.sequence, der(0xa0, permitted), der(0xa1, excluded));
}
