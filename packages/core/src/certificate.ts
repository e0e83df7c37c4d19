/**
 * The certificate of a keyless signature, as Fulcio issues it: a key, the identity that held it for some minutes, and who vouched for that.
 *
 * Names are bytes that somebody else wrote. Only what has one reading is taken: one name, in ASCII, of one kind, and each extension once.
 */
import { createRequire } from 'node:module';
import type * as sigstoreCore from '@sigstore/core';
import { equalBytes, hex } from './bytes.js';
import { canonicalJson } from './canonical-json.js';
import { sha256Raw } from './digest.js';
import { CoreError } from './errors.js';
import { p256PublicKey } from './p256.js';

type Asn1 = sigstoreCore.X509Certificate['tbsCertificate'];

/** Who signs without a key that lasts: the certificate's subject alternative name and the issuer that vouched for it, letter for letter. */
export interface Identity {
  readonly identity: string;
  readonly issuer: string;
}

/** What a certificate says: the identity, the key that it is about (SubjectPublicKeyInfo DER), and its life, first to last second, in ms since 1970. */
export interface CertifiedKey extends Identity {
  readonly spki: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A certificate is about 1 KiB; it has to fit into a log entry. */
const MAX_BYTES = 16_384;
const SUBJECT_ALT_NAME = '2.5.29.17';
/** Fulcio's issuer: bare bytes first, later a DER UTF8String (github.com/sigstore/fulcio, docs/oid-info.md). */
const ISSUER = '1.3.6.1.4.1.57264.1.1';
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';
const UTF8_STRING = 0x0c;
/** Kinds of names that Fulcio gives: an e-mail address, a URI (RFC 5280, section 4.2.1.6). */
const NAME_TAGS = [0x01, 0x06];

/** An identity's id, in the place of a key's: hex SHA-256 of its canonical JSON, which is no public key in DER. */
export function identityIdOf({ identity, issuer }: Identity): string {
  return hex(sha256Raw(canonicalJson({ identity, issuer })));
}

/**
 * Reads a certificate (DER). Nothing in it is verified.
 *
 * @throws CoreError `CERTIFICATE_MALFORMED` not DER, a key other than P-256, no identity or issuer, or more than one
 */
export function readCertificate(der: Uint8Array): CertifiedKey {
  return asMalformed(der, () => {
    const { certificate, extensions } = partsOf(der);
    const spki = new Uint8Array(certificate.publicKey);
    p256PublicKey(spki);
    const [notBeforeMs, notAfterMs] = [certificate.notBefore.getTime(), certificate.notAfter.getTime()];
    return { spki, ...identityOf(extensions), notBeforeMs, notAfterMs };
  });
}

/**
 * Reads whose certificate (DER) it is; its key may be of any kind. Nothing in it is verified.
 *
 * @throws CoreError `CERTIFICATE_MALFORMED` as `readCertificate`
 */
export function readIdentity(der: Uint8Array): Identity {
  return asMalformed(der, () => identityOf(partsOf(der).extensions));
}

/** An extension of a certificate: its object identifier, and whether who does not know it must refuse the certificate (RFC 5280, section 4.2). */
export interface CertificateExtension {
  readonly oid: string;
  readonly isCritical: boolean;
}

/**
 * The extensions of a certificate (DER), whoever it is of. Nothing in it is verified.
 *
 * @throws CoreError `CERTIFICATE_MALFORMED` not DER, or an extension twice
 */
export function readExtensions(der: Uint8Array): readonly CertificateExtension[] {
  return asMalformed(der, () => {
    const { certificate, extensions } = partsOf(der);
    return [...extensions.keys()].map((oid) => ({ oid, isCritical: certificate.extension(oid)?.critical === true }));
  });
}

function asMalformed<T>(der: Uint8Array, read: () => T): T {
  if (der.length > MAX_BYTES) throw malformed(`at most ${MAX_BYTES} bytes`, `${der.length}`);
  try {
    return read();
  } catch (cause) {
    if (cause instanceof CoreError && cause.code === 'CERTIFICATE_MALFORMED') throw cause;
    // the parser throws errors of its own classes
    throw new CoreError(
      'CERTIFICATE_MALFORMED',
      `read a certificate: ${cause instanceof Error ? cause.message : String(cause)}`,
      {},
      { cause },
    );
  }
}

/** When a timestamp (RFC 3161 response, DER) says that it was made, in ms since 1970; undefined when it cannot be read. Nothing in it is verified. */
export function timestampTimeMs(token: Uint8Array): number | undefined {
  try {
    return sigstore().RFC3161Timestamp.parse(Buffer.from(token)).signingTime.getTime();
  } catch {
    // the parser throws errors of many classes, and each means the same
    return undefined;
  }
}

/** Whether a timestamp (RFC 3161 response, DER) is by the key `spki` over `data`. Its time is another matter: see `timestampTimeMs`. */
export function isTimestampBy(token: Uint8Array, data: Uint8Array, spki: Uint8Array): boolean {
  try {
    const { RFC3161Timestamp, crypto } = sigstore();
    RFC3161Timestamp.parse(Buffer.from(token)).verify(Buffer.from(data), crypto.createPublicKey(Buffer.from(spki)));
    return true;
  } catch {
    // as above: it throws where it does not verify
    return false;
  }
}

type Extensions = ReadonlyMap<string, Asn1>;

function partsOf(der: Uint8Array): { readonly certificate: sigstoreCore.X509Certificate; readonly extensions: Extensions } {
  const certificate = sigstore().X509Certificate.parse(Buffer.from(der));
  // one certificate has one spelling: bytes behind it, or another form of its lengths, would make the same signer look like two
  if (!equalBytes(certificate.root.toDER(), der)) throw malformed('the one DER form', 'another');
  const extensions = new Map<string, Asn1>();
  for (const extension of certificate.extensions) {
    const [oid, value] = [extension.subs[0], extension.subs.at(-1)];
    if (oid === undefined || value === undefined) throw malformed('extensions', 'an empty one');
    const name = oid.toOID();
    if (extensions.has(name)) throw malformed('each extension once', `${name} again`);
    extensions.set(name, value);
  }
  return { certificate, extensions };
}

function identityOf(extensions: Extensions): Identity {
  return { identity: identityIn(extensions.get(SUBJECT_ALT_NAME)), issuer: issuerIn(extensions) };
}

function identityIn(extension: Asn1 | undefined): string {
  const names = extension?.subs[0]?.subs ?? [];
  const [name] = names;
  if (name === undefined || names.length !== 1) throw malformed('one subject alternative name', `${names.length}`);
  if (!NAME_TAGS.some((tag) => name.tag.isContextSpecific(tag))) throw malformed('an e-mail address or a URI as its name', 'another kind');
  return asciiText(name.value, 'a subject alternative name');
}

function issuerIn(extensions: Extensions): string {
  const [bare, extension] = [extensions.get(ISSUER)?.value, extensions.get(ISSUER_V2)];
  const [text, ...more] = extension?.subs ?? [];
  if (extension !== undefined && (text?.tag.number !== UTF8_STRING || more.length > 0))
    throw malformed('an issuer as UTF8String', 'another form');
  const found = text?.value ?? bare;
  if (found === undefined) throw malformed(`an issuer (${ISSUER_V2})`, 'none');
  if (bare?.equals(found) === false) throw malformed('one issuer', 'two');
  return asciiText(found, 'an issuer');
}

/** Printable ASCII: readers that drop a byte's high bit would see another name. */
function asciiText(bytes: Uint8Array, what: string): string {
  if (bytes.length === 0 || bytes.some((byte) => byte < 0x21 || byte > 0x7e)) throw malformed(`${what} in printable ASCII`, 'other bytes');
  return Buffer.from(bytes).toString('latin1');
}

function malformed(expected: string, got: string): CoreError {
  return new CoreError('CERTIFICATE_MALFORMED', `read a certificate: expected ${expected}, got ${got}`);
}

/** Loaded when the first certificate is read: most lanes have none, and every command starts without it. */
function sigstore(): typeof sigstoreCore {
  return require('@sigstore/core') as typeof sigstoreCore;
}

const require = createRequire(import.meta.url);
