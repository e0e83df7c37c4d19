/**
 * A site's request for a certificate: a PKCS #10 request by the key that is to be certified, signed by the key of the site's record.
 *
 * The inner signature proves that whoever asks holds the new key, the outer one that the site asks. So anybody may carry it, and no certificate is needed
 * to get one: an expired one renews as well as any other.
 */
import { base64, fromBase64 } from './bytes.js';
import { canonicalJson } from './canonical-json.js';
import { DER, der, derBits, derCommonName, derObjectId } from './der.js';
import { type Digest, sha256 } from './digest.js';
import { pae } from './dsse.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { verifyP256 } from './p256.js';
import { restate } from './restate.js';
import type { Signer } from './signer.js';
import { parseStrictJson } from './strict-json.js';

/** What is signed is DSSE's encoding of this type and the canonical bytes of all other fields. */
const REQUEST_TYPE = 'application/vnd.sealane.certificate-request.v1+json';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/**
 * A request as it was sent; the outer signature is not verified yet. `keyId` = of the site's record; `csr` DER; `previous` = serial number (hex) of the
 * certificate that the site has, null for none; `digest` = of the whole file.
 */
export interface CertificateRequest {
  readonly site: string;
  readonly keyId: string;
  readonly csr: Uint8Array;
  readonly previous: string | null;
  readonly digest: Digest;
  /** Whether the key with this SubjectPublicKeyInfo (DER) signed it. */
  readonly isBy: (spki: Uint8Array) => boolean;
}

/** What a site asks for. `nonce` is 32 hex digits, another in each request. */
export interface CertificateWish {
  readonly site: string;
  readonly previous: string | null;
  readonly nonce: string;
}

/** The bytes of a request: `tls` is the key to be certified, `site` that of the record. */
export async function makeCertificateRequest(wish: CertificateWish, tls: Signer, site: Signer): Promise<Uint8Array> {
  return await wrapCsr(wish, await makeCsr(wish.site, tls), site);
}

/** A request around a PKCS #10 request (DER) that was made elsewhere. */
export async function wrapCsr({ site: name, previous, nonce }: CertificateWish, csr: Uint8Array, site: Signer): Promise<Uint8Array> {
  const body = {
    apiVersion: 'sealane/v1',
    kind: 'CertificateRequest',
    site: name,
    keyId: site.keyId,
    csr: base64(csr),
    previous,
    nonce,
  };
  const signature = base64(await site.sign(pae(REQUEST_TYPE, canonicalJson(body))));
  return canonicalJson({ ...body, signature });
}

/** A PKCS #10 request (RFC 2986, DER) for a common name, with no attributes: what goes into the certificate is for the authority to say. */
export async function makeCsr(name: string, { spki, sign }: Signer): Promise<Uint8Array> {
  const version = der(DER.integer, Uint8Array.of(0));
  const info = der(DER.sequence, version, derCommonName(name), spki, der(0xa0));
  return der(DER.sequence, info, der(DER.sequence, derObjectId(ECDSA_WITH_SHA256)), derBits(await sign(info)));
}

/**
 * Reads a request file. Nothing in it is verified: `isBy` does that, once the site's key is known.
 *
 * @throws CoreError `CERTIFICATE_REQUEST` another shape or too large; the `JSON_` codes
 */
export function readCertificateRequest(bytes: Uint8Array): CertificateRequest {
  if (bytes.length > LIMITS.certificateRequestBytes)
    throw malformed(`at most ${LIMITS.certificateRequestBytes} bytes, got ${bytes.length}`);
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.certificateRequestBytes, maxDepth: LIMITS.jsonDepth });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('an object');
  const { signature, ...body } = value as Exclude<typeof value, readonly unknown[]>;
  const { apiVersion, kind, site, keyId, csr, previous, nonce, ...unknown } = body;
  if (apiVersion !== 'sealane/v1' || kind !== 'CertificateRequest') throw malformed('apiVersion sealane/v1 and kind CertificateRequest');
  const [more] = Object.keys(unknown);
  if (more !== undefined) throw malformed(`no other fields, got ${JSON.stringify(more.slice(0, 40))}`);
  if (typeof site !== 'string' || !/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/.test(site)) throw malformed('the name of a site');
  if (typeof keyId !== 'string' || !/^[0-9a-f]{64}$/.test(keyId)) throw malformed('keyId of 64 hex digits');
  if (typeof nonce !== 'string' || !/^[0-9a-f]{32}$/.test(nonce)) throw malformed('a nonce of 32 hex digits');
  if (previous !== null && !isSerial(previous)) throw malformed('previous as a serial number of at most 40 hex digits, or null');
  if (typeof csr !== 'string' || typeof signature !== 'string') throw malformed('csr and signature in base64');
  const [request, by] = restate(
    'CERTIFICATE_REQUEST',
    () => [fromBase64(csr), fromBase64(signature)],
    "read a certificate's request: expected csr and signature in base64",
  );
  return {
    site,
    keyId,
    csr: request,
    previous: isSerial(previous) ? previous : null,
    digest: sha256(bytes),
    isBy: (spki) => verifyP256(spki, pae(REQUEST_TYPE, canonicalJson(body)), by),
  };
}

/** A serial number as certificates are named by here. */
function isSerial(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{2,40}$/.test(value);
}

function malformed(expected: string): CoreError {
  return new CoreError('CERTIFICATE_REQUEST', `read a certificate's request: expected ${expected}`);
}
