/** PKCS #10 requests: whose key it is, and that nothing is asked for beside it. */
import { BasicConstraintsExtension, PemConverter, Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { p256PublicKey, PromoterError, SealaneError } from '@sealane/core';
import './x509.js';

/**
 * The key of a PKCS #10 request (DER), as SubjectPublicKeyInfo, when the request is signed by it and asks for nothing but `name`.
 *
 * What a request asks for beyond its key is not left out in silence: whoever asks for an authority or for another name is told that he gets none.
 *
 * @throws PromoterError `CERTIFICATE_REQUEST` malformed, another key than P-256, not signed by its key; `CERTIFICATE_DENIED` it asks for more
 */
export async function readCsr(der: Uint8Array, site: string, name: string): Promise<Uint8Array> {
  const { request, spki } = await parse(der);
  const subject = request.subjectName.getField('CN')[0];
  if (subject !== site || request.subjectName.toJSON().length !== 1)
    throw denied(site, `the common name ${site} alone`, request.subject.slice(0, 200));
  for (const extension of request.extensions) {
    if (extension instanceof BasicConstraintsExtension && !extension.ca) continue;
    if (extension instanceof BasicConstraintsExtension) throw denied(site, 'a certificate that is no authority', 'CA:TRUE');
    const isOwnName = extension instanceof SubjectAlternativeNameExtension && isOnly(extension, name);
    if (!isOwnName) throw denied(site, `no extensions but the name ${name}`, extension.type);
  }
  return spki;
}

function isP256(spki: Uint8Array): boolean {
  try {
    p256PublicKey(spki);
    return true;
  } catch (error) {
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

function isOnly(extension: SubjectAlternativeNameExtension, name: string): boolean {
  const names = extension.names.toJSON();
  return names.length === 1 && names[0]?.type === 'dns' && names[0].value === name;
}

/** A request that is signed by its key, and that key. */
async function parse(der: Uint8Array): Promise<{ readonly request: Pkcs10CertificateRequest; readonly spki: Uint8Array }> {
  const { request, spki } = partsOf(der);
  if (!isP256(spki)) throw malformed('a P-256 key, got another');
  if (!(await isSelfSigned(request))) throw malformed('a signature by the key in it');
  return { request, spki };
}

function partsOf(der: Uint8Array): { readonly request: Pkcs10CertificateRequest; readonly spki: Uint8Array } {
  try {
    const request = new Pkcs10CertificateRequest(Uint8Array.from(der));
    // the key is taken apart when it is first asked for, as a name's parts are
    return { request, spki: new Uint8Array(request.publicKey.rawData) };
  } catch (cause) {
    // the parser throws errors of many classes, and each means the same
    throw malformed(`DER, got ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

async function isSelfSigned(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    // as above: it throws where the signature is not of the form of its algorithm
    return false;
  }
}

/**
 * The common name and key of a request of an authority, in PEM, when it is signed by that key.
 *
 * @throws PromoterError `CERTIFICATE_REQUEST`
 */
export async function readAuthorityCsr(pem: Uint8Array): Promise<{ readonly name: string; readonly spki: Uint8Array }> {
  const { request, spki } = await parse(decodePem(pem));
  return { name: request.subjectName.getField('CN')[0] ?? '', spki };
}

function decodePem(pem: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(PemConverter.decodeFirst(Buffer.from(pem).toString('latin1')));
  } catch {
    // as below
    throw malformed('PEM, got something else');
  }
}

function denied(site: string, expected: string, got: string): PromoterError {
  return new PromoterError('CERTIFICATE_DENIED', `certify ${site}: expected a request for ${expected}, got ${got}`);
}

function malformed(expected: string): PromoterError {
  return new PromoterError('CERTIFICATE_REQUEST', `read a PKCS #10 request: expected ${expected}`);
}
