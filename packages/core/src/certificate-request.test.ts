import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { makeCertificateRequest, readCertificateRequest } from './certificate-request.js';
import { utf8 } from './bytes.js';
import { keyIdOf, type Signer } from './signer.js';

function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))) };
}

const [site, tls] = [newSigner(), newSigner()];
const wish = { site: 'harbour-7', previous: null, nonce: '0'.repeat(32) };
const made = async (): Promise<Record<string, unknown>> =>
  JSON.parse(Buffer.from(await makeCertificateRequest(wish, tls, site)).toString()) as Record<string, unknown>;

describe('a request for a certificate', () => {
  it('is by the key of the site and by no other', async () => {
    const request = readCertificateRequest(await makeCertificateRequest(wish, tls, site));
    expect(request).toMatchObject({ site: 'harbour-7', keyId: site.keyId, previous: null });
    expect([request.isBy(site.spki), request.isBy(tls.spki)]).toEqual([true, false]);
  });

  it('loses its signature with any field that is changed', async () => {
    const request = await made();
    for (const change of [{ site: 'harbour-8' }, { previous: '0a' }, { nonce: '1'.repeat(32) }, { csr: 'AAAA' }])
      expect(readCertificateRequest(canonicalJson({ ...request, ...change })).isBy(site.spki)).toBe(false);
  });

  it.each([
    ['another field', { extra: 1 }],
    ['a name that is a path', { site: '../a' }],
    ['a serial that is none', { previous: 'x' }],
    ['no nonce', { nonce: '' }],
    ['another kind', { kind: 'SiteRequest' }],
    ['more bytes than it can need', { csr: 'AAAA'.repeat(3000) }],
  ])('is refused with %s', async (_, change) => {
    const bytes = utf8(JSON.stringify({ ...(await made()), ...change }));
    expect(() => readCertificateRequest(bytes)).toThrow(expect.objectContaining({ code: 'CERTIFICATE_REQUEST' }));
  });
});
