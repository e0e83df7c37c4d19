/** Certificates as an authority would issue them, honest or not: chains for Fulcio and a timestamp authority, and leaves with any identity and life. */
import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const DAY_MS = 86_400_000;

/** A certificate with its key. */
export interface Held {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKeyPair;
}

/** An authority: what issues, and the chain that others know it by. */
export interface Authority {
  readonly issuing: Held;
  /** PEM, its own first, the root last. */
  readonly chain: string;
}

/** An authority that certifies identities: a root and, below it, what issues. */
export async function certificateAuthority(name: string): Promise<Authority> {
  const root = await selfSigned(`CN=${name} root`);
  const issuing = await issue(root, {
    subject: `CN=${name}`,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.ExtendedKeyUsageExtension([CODE_SIGNING])],
    usages: x509.KeyUsageFlags.keyCertSign,
  });
  return { issuing, chain: pemOf(issuing, root) };
}

/** An authority that stamps times. */
export async function timestampAuthority(name: string): Promise<Authority> {
  const root = await selfSigned(`CN=${name} root`);
  const issuing = await issue(root, { subject: `CN=${name}`, extensions: [new x509.ExtendedKeyUsageExtension([TIME_STAMPING], true)] });
  return { issuing, chain: pemOf(issuing, root) };
}

/** What a certificate of a keyless signer says, where it is not as Fulcio would have it. */
export interface Claims {
  readonly identity: string;
  readonly issuer: string;
  readonly from?: Date;
  readonly until?: Date;
  readonly use?: string;
  readonly names?: readonly string[];
  /** What the older extension says beside the newer one, and the tag of the text there, where it is no UTF8String. */
  readonly bareIssuer?: string;
  readonly issuerTag?: number;
  /** A critical extension that nobody knows, by its object identifier. */
  readonly unknown?: string;
}

/** A certificate for a keyless signature, as Fulcio writes it. */
export async function certify(by: Held, claims: Claims): Promise<Held> {
  const { identity, issuer, from = new Date(Date.now() - 60_000), until = new Date(from.getTime() + 600_000), names = [identity] } = claims;
  const text = Buffer.from(issuer);
  return await issue(by, {
    from,
    until,
    extensions: [
      new x509.ExtendedKeyUsageExtension([claims.use ?? CODE_SIGNING]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: value.includes('://') ? ('url' as const) : ('email' as const), value })),
        true,
      ),
      ...(claims.unknown === undefined ? [] : [new x509.Extension(claims.unknown, true, Buffer.from([0x05, 0x00]))]),
      ...(claims.bareIssuer === undefined ? [] : [new x509.Extension('1.3.6.1.4.1.57264.1.1', false, Buffer.from(claims.bareIssuer))]),
      new x509.Extension('1.3.6.1.4.1.57264.1.8', false, Buffer.concat([Buffer.from([claims.issuerTag ?? 0x0c, text.length]), text])),
    ],
  });
}

/** The private key for Node. */
export async function nodeKey({ key }: Held): Promise<KeyObject> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key.privateKey);
  return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
}

/** DER of a certificate. */
export function derOf({ certificate }: Held): Uint8Array {
  return new Uint8Array(certificate.rawData);
}

/** A root of its own; `mayIssue: false` leaves out what lets it, `asks` is one more extension. */
export async function selfSigned(name: string, { mayIssue = true, asks }: RootWish = {}): Promise<Held> {
  const key = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys: key,
    signingAlgorithm: P256,
    notBefore: new Date(Date.now() - 3650 * DAY_MS),
    notAfter: new Date(Date.now() + 3650 * DAY_MS),
    extensions: [
      ...(mayIssue ? [new x509.BasicConstraintsExtension(true, undefined, true)] : []),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
      ...(asks === undefined ? [] : [new x509.Extension(asks.oid, asks.isCritical, Buffer.from([0x30, 0x00]))]),
    ],
  });
  return { certificate, key };
}

interface RootWish {
  readonly mayIssue?: boolean;
  readonly asks?: { readonly oid: string; readonly isCritical: boolean };
}

interface Wish {
  readonly subject?: string;
  readonly from?: Date;
  readonly until?: Date;
  readonly usages?: x509.KeyUsageFlags;
  readonly extensions: x509.Extension[];
}

async function issue(by: Held, { subject = '', from, until, usages, extensions }: Wish): Promise<Held> {
  const key = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by.certificate.subject,
    publicKey: key.publicKey,
    signingKey: by.key.privateKey,
    signingAlgorithm: P256,
    notBefore: from ?? new Date(Date.now() - 3650 * DAY_MS),
    notAfter: until ?? new Date(Date.now() + 365 * DAY_MS),
    extensions: [
      new x509.KeyUsagesExtension(usages ?? x509.KeyUsageFlags.digitalSignature, true),
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(by.key.publicKey),
    ],
  });
  return { certificate, key };
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const take = (format: 'pkcs8' | 'spki', der: Buffer, use: 'sign' | 'verify'): Promise<webcrypto.CryptoKey> =>
    webcrypto.subtle.importKey(format, der, P256, true, [use]);
  return {
    privateKey: await take('pkcs8', privateKey.export({ format: 'der', type: 'pkcs8' }), 'sign'),
    publicKey: await take('spki', publicKey.export({ format: 'der', type: 'spki' }), 'verify'),
  };
}

function pemOf(...chain: readonly Held[]): string {
  return chain.map(({ certificate }) => `${certificate.toString('pem')}\n`).join('');
}
