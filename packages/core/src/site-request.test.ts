import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { fromUtf8, utf8 } from './bytes.js';
import { CoreError } from './errors.js';
import { keyIdOf, type Signer } from './signer.js';
import { makeSealingKey } from './sealed-value.js';
import { makeSiteRequest, readSiteRequest } from './site-request.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
const signer: Signer = { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))) };
const nonce = '0123456789abcdef'.repeat(2);

function codeOf(bytes: Uint8Array): string {
  try {
    readSiteRequest(bytes);
  } catch (error) {
    return error instanceof CoreError ? error.code : String(error);
  }
  return 'read';
}

test('reads back what was asked, with and without an inventory', async () => {
  const hbom = { bomFormat: 'CycloneDX', specVersion: '1.7' };
  expect(readSiteRequest(await makeSiteRequest({ name: 'harbour-7', nonce, recipient: null, hbom }, signer))).toEqual({
    name: 'harbour-7',
    spki,
    keyId: signer.keyId,
    nonce,
    recipient: null,
    hbom,
  });
  expect(readSiteRequest(await makeSiteRequest({ name: 'harbour-7', nonce, recipient: null, hbom: null }, signer)).hbom).toBeNull();
});

test('carries to whom secrets are sealed, and refuses what is no such key', async () => {
  const { recipient } = await makeSealingKey();
  expect(readSiteRequest(await makeSiteRequest({ name: 'harbour-7', nonce, recipient, hbom: null }, signer)).recipient).toBe(recipient);
  const wrong = await makeSiteRequest({ name: 'harbour-7', nonce, recipient: 'age1short', hbom: null }, signer);
  expect(() => readSiteRequest(wrong)).toThrow('a recipient of age');
});

test('refuses a request in which anything was changed, and one without the key’s own signature', async () => {
  const text = fromUtf8(await makeSiteRequest({ name: 'harbour-7', nonce, recipient: null, hbom: { a: 1 } }, signer));
  const other = fromUtf8(
    await makeSiteRequest(
      { name: 'harbour-7', nonce, recipient: null, hbom: { a: 1 } },
      { ...signer, sign: () => Promise.resolve(new Uint8Array(70)) },
    ),
  );
  for (const changed of [
    text.replace('harbour-7', 'harbour-8'),
    text.replace('"a":1', '"a":2'),
    text.replace(nonce, nonce.replace('0', '1')),
    other,
  ]) {
    expect(changed).not.toBe(text);
    expect(codeOf(utf8(changed))).toBe('REQUEST_MALFORMED');
  }
});
