/** Who signed a bundle: the key or certificate it must be by, what that certificate may be for, and whose name is in it. */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { fromUtf8, type Identity, readIdentity } from '@sealane/core';
import { asRefusal, refused } from './bundle-error.js';
import { signsCode, unjudgedExtension } from './certificate-use.js';

/** Whose signature is asked for: a certificate's identity and the issuer that vouched for it, letter for letter; or a public key (PEM). */
export type ExpectedSigner =
  { readonly kind: 'certificate'; readonly identity: string; readonly issuer: string } | { readonly kind: 'key'; readonly pem: Uint8Array };

/** The signer that the bundle must be by: its key, DER of that key or of the certificate, as a log entry names it, and whose certificate it is. */
export interface BundleKey {
  readonly key: KeyObject;
  readonly der: Uint8Array;
  readonly named?: Identity;
}

/** The signer of a bundle, by what was asked for. Its signature is not checked here. @throws TrustError `BUNDLE_SIGNER`, `BUNDLE_MALFORMED` */
export function signerOf(bundle: Bundle, expected: ExpectedSigner): BundleKey {
  const { content } = bundle.verificationMaterial;
  if (content.$case === 'publicKey') {
    if (expected.kind !== 'key') throw refused('BUNDLE_SIGNER', `a certificate of ${expected.identity}`, 'a bundle signed with a key');
    return publicKeyOf(expected.pem);
  }
  if (expected.kind !== 'certificate')
    throw refused('BUNDLE_SIGNER', 'a bundle signed with the key that was named', 'one with a certificate');
  const [leaf, ...chain] = content.$case === 'certificate' ? [content.certificate] : content.x509CertificateChain.certificates;
  const certificates = asRefusal('BUNDLE_MALFORMED', 'read its certificates', () =>
    [leaf, ...chain].map((one) => new X509Certificate(one?.rawBytes ?? '')),
  );
  return checkCertificates(certificates);
}

/** A public key out of PEM, and its DER. @throws TrustError `BUNDLE_SIGNER` */
export function publicKeyOf(pem: Uint8Array): BundleKey {
  const key = asRefusal('BUNDLE_SIGNER', 'read the public key', () => createPublicKey(fromUtf8(pem)));
  return { key, der: new Uint8Array(key.export({ format: 'der', type: 'spki' })) };
}

/** Neither chain building nor `@sigstore/verify` looks at these: a leaf for other uses, and a root that the bundle brings along. */
function checkCertificates([leaf, ...chain]: readonly X509Certificate[]): BundleKey {
  if (leaf === undefined) throw refused('BUNDLE_MALFORMED', 'a certificate', 'none');
  if (!signsCode(leaf)) throw refused('BUNDLE_SIGNER', 'a certificate that signs code', 'one for other uses');
  if (chain.some((one) => one.checkIssued(one)))
    throw refused('BUNDLE_MALFORMED', 'a chain without its root', 'a self-signed certificate in it');
  for (const one of [leaf, ...chain]) {
    const oid = asRefusal('BUNDLE_SIGNER', 'read the extensions of its certificates', () => unjudgedExtension(one));
    if (oid !== undefined) throw refused('BUNDLE_SIGNER', 'certificates whose critical extensions are known', `extension ${oid}`);
  }
  const der = new Uint8Array(leaf.raw);
  // `@sigstore/verify` drops the highest bit of each byte of a name, and takes the first of several: either would read as somebody else's
  return { key: leaf.publicKey, der, named: asRefusal('BUNDLE_SIGNER', 'read whose certificate it is', () => readIdentity(der)) };
}

/** Letter for letter: `@sigstore/verify` takes an identity as a pattern that may match anywhere in the certificate's. */
export function checkIdentity({ named }: BundleKey, expected: ExpectedSigner): void {
  if (expected.kind === 'key') return;
  if (named?.identity !== expected.identity) throw refused('BUNDLE_SIGNER', `identity ${expected.identity}`, String(named?.identity));
  if (named.issuer !== expected.issuer) throw refused('BUNDLE_SIGNER', `issuer ${expected.issuer}`, named.issuer);
}
