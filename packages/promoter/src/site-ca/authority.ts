/**
 * The authority of site certificates: the owners' root, kept off-line, and what issues on the promoter's host, which can name sites of this lane only.
 *
 * The root is not constrained; whoever holds it can make another issuer, and nobody else can. The issuer may not make further authorities.
 */
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
} from '@peculiar/x509';
import { equalBytes, keyIdOf, type Signer } from '@sealane/core';
import { NAME_CONSTRAINTS, nameConstraints, siteSubtree } from './names.js';
import { invalid, isSignedBy, signedCertificate, spkiOf } from './x509.js';

const DAY_MS = 86_400_000;
const ROOT_DAYS = 3650;
/** A clock of a site that is slow by less than this takes what was issued just now. */
export const BACKDATE_MS = 3_600_000;

/** Who issues and under which root. */
export interface SiteAuthority {
  readonly issuer: X509Certificate;
  readonly root: X509Certificate;
}

/** What a new certificate of an authority needs from outside. `serial` hex. */
export interface Making {
  readonly origin: string;
  readonly nowMs: number;
  readonly serial: string;
}

/** The owners' root, signed by itself. */
export async function makeRoot({ origin, nowMs, serial }: Making, root: Signer): Promise<X509Certificate> {
  const name = `${siteSubtree(origin)} root`;
  return await signedCertificate(
    {
      serial,
      subject: name,
      issuer: name,
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(nowMs + ROOT_DAYS * DAY_MS),
      spki: root.spki,
      extensions: [
        new BasicConstraintsExtension(true, 1, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        new SubjectKeyIdentifierExtension(keyIdentifier(root.spki)),
      ],
    },
    root,
  );
}

/** What issues on the promoter's host: sites of this lane, clients and servers, no authority below it. `days` is its life. */
export async function makeIssuer(
  { origin, nowMs, serial }: Making,
  wish: { readonly spki: Uint8Array; readonly days: number },
  by: { readonly certificate: X509Certificate; readonly signer: Signer },
): Promise<X509Certificate> {
  return await signedCertificate(
    {
      serial,
      subject: siteSubtree(origin),
      issuer: commonName(by.certificate),
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(Math.min(nowMs + wish.days * DAY_MS, by.certificate.notAfter.getTime())),
      spki: wish.spki,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
        new Extension(NAME_CONSTRAINTS, true, Uint8Array.from(nameConstraints(origin)).buffer),
        new SubjectKeyIdentifierExtension(keyIdentifier(wish.spki)),
        new AuthorityKeyIdentifierExtension(keyIdentifier(by.signer.spki)),
      ],
    },
    by.signer,
  );
}

/**
 * An authority out of its chain, issuer first and root last, when it can be believed to issue for this lane and nothing else.
 *
 * @throws PromoterError `AUTHORITY_INVALID` of another lane, not constrained, expired, not by the root, or for another key than `issuerSpki`
 */
export async function checkAuthority(
  chain: readonly X509Certificate[],
  {
    origin,
    nowMs,
    source,
    issuerSpki,
  }: { readonly origin: string; readonly nowMs: number; readonly source: string; readonly issuerSpki?: Uint8Array },
): Promise<SiteAuthority> {
  const [issuer, root] = chain;
  if (issuer === undefined || root === undefined || chain.length !== 2)
    throw invalid(source, 'two certificates, issuer and root', `${chain.length}`);
  if (!isAuthority(issuer, 0)) throw invalid(source, 'an issuer that may make no authority below it', 'another');
  if (!isAuthority(root, 1)) throw invalid(source, 'a root that may make an authority below it', 'another');
  for (const { notBefore, notAfter } of chain)
    if (nowMs < notBefore.getTime() || nowMs >= notAfter.getTime())
      throw invalid(source, `a time between ${notBefore.toISOString()} and ${notAfter.toISOString()}`, new Date(nowMs).toISOString());
  const constraint = issuer.extensions.find(({ type }) => type === NAME_CONSTRAINTS);
  if (constraint?.critical !== true || !equalBytes(new Uint8Array(constraint.value), nameConstraints(origin)))
    throw invalid(source, `an issuer that is kept to names below ${siteSubtree(origin)}`, commonName(issuer));
  if (!(await isSignedBy(root, root)) || !(await isSignedBy(issuer, root)))
    throw invalid(source, 'an issuer signed by the root', 'another');
  if (issuerSpki !== undefined && !equalBytes(spkiOf(issuer), issuerSpki))
    throw invalid(source, `the key of the issuer here, ${keyIdOf(issuerSpki)}`, keyIdOf(spkiOf(issuer)));
  return { issuer, root };
}

/** Whether a certificate is that of an authority with exactly so many levels of authorities below it. */
function isAuthority(certificate: X509Certificate, pathLength: number): boolean {
  const constraints = certificate.getExtension(BasicConstraintsExtension);
  return constraints?.ca === true && constraints.pathLength === pathLength;
}

/** The common name of a certificate of ours. */
export function commonName(certificate: X509Certificate): string {
  return certificate.subjectName.getField('CN')[0] ?? '';
}

/** How certificates name a key: the first 20 bytes of its id, in hex (RFC 7093, section 2, method 1 with the whole SPKI as method 4 has it). */
export function keyIdentifier(spki: Uint8Array): string {
  return keyIdOf(spki).slice(0, 40);
}
