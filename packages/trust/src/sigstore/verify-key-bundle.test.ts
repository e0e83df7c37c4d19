/** Bundles signed with a plain key: taken for that key, that artifact and one signature, and for nothing else. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { base64, encodeStatement, INTOTO_PAYLOAD_TYPE, type JsonObject, keyIdOf, pae, sha256, utf8 } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { verifyKeyBundle } from './verify-key-bundle.js';

const image = sha256(utf8('image'));
const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = (key: KeyObject): Uint8Array => utf8(key.export({ type: 'spki', format: 'pem' }).toString());

function bundleOf(key: KeyObject, change: JsonObject = {}): Uint8Array {
  const statement = {
    subject: [{ digest: { sha256: image.slice(7) } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
  const payload = encodeStatement(statement);
  const sig = base64(sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', pae(INTOTO_PAYLOAD_TYPE, payload), key));
  return utf8(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: 'any' } },
      dsseEnvelope: { payload: base64(payload), payloadType: INTOTO_PAYLOAD_TYPE, signatures: [{ sig }], ...change },
    }),
  );
}

describe('a bundle signed with a key', () => {
  it.each([
    ['P-256', signer],
    ['Ed25519', generateKeyPairSync('ed25519')],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const)('of kind %s is taken', (_kind, { privateKey, publicKey }) => {
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    expect(verifyKeyBundle(bundleOf(privateKey), { digest: image }, pemOf(publicKey))).toMatchObject({
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      signer: { keyId: keyIdOf(spki) },
      logIndexes: [],
    });
  });

  const code = (bundle: Uint8Array, digest = image, pem = pemOf(signer.publicKey)): unknown => {
    try {
      return verifyKeyBundle(bundle, { digest }, pem);
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  const good = bundleOf(signer.privateKey);

  it('is refused for another key, another artifact, and a key that is none', () => {
    expect(code(good, image, pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))).toBe('BUNDLE_SIGNER');
    expect(code(good, image, utf8('no key'))).toBe('BUNDLE_SIGNER');
    expect(code(good, sha256(utf8('another')))).toBe('BUNDLE_SUBJECT');
  });

  it.each([
    ['another payload type', { payloadType: 'text/plain' }, 'BUNDLE_MALFORMED'],
    ['two signatures', { signatures: [{ sig: 'AAAA' }, { sig: 'AAAA' }] }, 'BUNDLE_MALFORMED'],
    ['no signature', { signatures: [] }, 'BUNDLE_MALFORMED'],
    ['a payload in loose base64', { payload: 'e30=\n' }, 'BUNDLE_MALFORMED'],
    ['another payload', { payload: base64(utf8('{}')) }, 'BUNDLE_SIGNER'],
  ] as const)('is refused with %s', (_what, change, expected) => {
    expect(code(bundleOf(signer.privateKey, change))).toBe(expected);
  });

  it('is refused where it brings a certificate, or is no bundle', () => {
    const json = JSON.parse(new TextDecoder().decode(good)) as JsonObject;
    const certified = { ...json, verificationMaterial: { certificate: { rawBytes: 'AAAA' } } };
    for (const bytes of [utf8(JSON.stringify(certified)), utf8('{}'), utf8(''), good.subarray(1)])
      expect(code(bytes)).toBe('BUNDLE_MALFORMED');
  });
});
