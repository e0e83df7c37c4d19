/** Issues a certificate for a site: the name is the record's, the key is the one that the request proves, all else is ours to say. */
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
} from '@peculiar/x509';
import type { Signer } from '@sealane/core';
import { BACKDATE_MS, commonName, keyIdentifier, type SiteAuthority } from './authority.js';
import { signedCertificate, spkiOf } from './x509.js';

const DAY_MS = 86_400_000;

/** What is to be certified. `serial` hex; `days` its life, cut at that of the issuer. */
export interface IssueWish {
  readonly site: string;
  readonly name: string;
  readonly spki: Uint8Array;
  readonly days: number;
  readonly nowMs: number;
  readonly serial: string;
}

/** A certificate for a site, as client and as server. */
export async function issueCertificate({ issuer }: SiteAuthority, signer: Signer, wish: IssueWish): Promise<X509Certificate> {
  const { site, name, spki, days, nowMs, serial } = wish;
  return await signedCertificate(
    {
      serial,
      subject: site,
      issuer: commonName(issuer),
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(Math.min(nowMs + days * DAY_MS, issuer.notAfter.getTime())),
      spki,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
        new SubjectKeyIdentifierExtension(keyIdentifier(spki)),
        new AuthorityKeyIdentifierExtension(keyIdentifier(spkiOf(issuer))),
      ],
    },
    signer,
  );
}
