/** Certificates by our own signers: `@peculiar/x509` writes them, and whoever holds the key signs what it wrote. */
import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import {
  cryptoProvider,
  type Extension,
  PemConverter,
  X509Certificate,
  X509CertificateGenerator,
  type X509CertificateCreateParams,
} from '@peculiar/x509';
import { PromoterError, type Signer } from '@sealane/core';

cryptoProvider.set(webcrypto);

/** ECDSA on P-256 with SHA-256, the one kind of signature in the lane. */
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** What a certificate says. `serial` in hex; names are common names. */
export interface CertificateContent {
  readonly serial: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** A certificate of this content by a key that may be in a token or with a helper program. */
export async function signedCertificate(content: CertificateContent, signer: Signer): Promise<X509Certificate> {
  const { serial, subject, issuer, notBefore, notAfter, spki, extensions } = content;
  const parameters: X509CertificateCreateParams = {
    serialNumber: serial,
    subject: [{ CN: [subject] }],
    issuer: [{ CN: [issuer] }],
    notBefore,
    notAfter,
    publicKey: Uint8Array.from(spki),
    extensions: [...extensions],
    // a key that names its algorithm and holds nothing: what is to be signed goes to the signer
    signingKey: { algorithm: P256, extractable: false, type: 'private', usages: ['sign'] },
  };
  const subtle = new Proxy(webcrypto.subtle, {
    get: (target, name): unknown => (name === 'sign' ? signWith(signer) : Reflect.get(target, name)),
  });
  const crypto = { subtle, getRandomValues: webcrypto.getRandomValues.bind(webcrypto), randomUUID: webcrypto.randomUUID.bind(webcrypto) };
  return await X509CertificateGenerator.create(parameters, crypto);
}

/** The library asks as WebCrypto is asked: the signature as r and s of 32 bytes each (IEEE P1363). */
function signWith(signer: Signer): (algorithm: unknown, key: unknown, data: ArrayBuffer) => Promise<ArrayBuffer> {
  return async (_algorithm, _key, data) => Uint8Array.from(rawSignature(await signer.sign(new Uint8Array(data)))).buffer;
}

/** SEQUENCE of two INTEGERs → r ‖ s. Our own signers write it: lengths are below 128 for P-256. */
function rawSignature(der: Uint8Array): Uint8Array {
  const rLength = der[3] ?? 0;
  const s = 4 + rLength;
  const out = new Uint8Array(64);
  for (const [at, whole] of [
    [0, der.subarray(4, s)],
    [32, der.subarray(s + 2)],
  ] as const) {
    const number = whole.subarray(Math.max(0, whole.length - 32));
    out.set(number, at + 32 - number.length);
  }
  return out;
}

/** Certificates in PEM, one after the other. */
export function certificatePem(...certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => `${certificate.toString('pem')}\n`).join('');
}

/** A chain holds few certificates of less than 2 KiB. */
const MAX_PEM_BYTES = 64 * 1024;

/**
 * Reads certificates in PEM.
 *
 * @throws PromoterError `AUTHORITY_INVALID` too large, or not PEM certificates
 */
export function readCertificates(pem: Uint8Array, source: string): readonly X509Certificate[] {
  if (pem.length > MAX_PEM_BYTES) throw invalid(source, `at most ${MAX_PEM_BYTES} bytes`, `${pem.length}`);
  try {
    return PemConverter.decodeWithHeaders(Buffer.from(pem).toString('latin1'))
      .filter(({ type }) => type === 'CERTIFICATE')
      .map(({ rawData }) => new X509Certificate(rawData));
  } catch (cause) {
    // the parser throws errors of many classes, and each means the same
    throw invalid(source, 'certificates in PEM', cause instanceof Error ? cause.message : String(cause));
  }
}

/** Whether `certificate` is signed by the key of `by`; dates are another matter. */
export async function isSignedBy(certificate: X509Certificate, by: X509Certificate): Promise<boolean> {
  return await certificate.verify({ publicKey: by.publicKey, signatureOnly: true });
}

/** The certificate's key as SubjectPublicKeyInfo DER. */
export function spkiOf(certificate: X509Certificate): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(certificate.publicKey.rawData), format: 'der', type: 'spki' });
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
}

/** The bytes of a certificate. */
export function derOf(certificate: X509Certificate): Uint8Array {
  return new Uint8Array(certificate.rawData);
}

export function invalid(source: string, expected: string, got: string): PromoterError {
  return new PromoterError('AUTHORITY_INVALID', `read ${source}: expected ${expected}, got ${got}`);
}
