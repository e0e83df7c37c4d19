import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyEd25519 } from './ed25519.js';
import { utf8 } from './bytes.js';

const DATA = utf8('lane.example\n7\n');

function keyPair(): { readonly raw: Uint8Array; readonly signatureOver: (data: Uint8Array) => Uint8Array } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));
  return { raw, signatureOver: (data) => new Uint8Array(sign(null, data, privateKey)) };
}

test('a signature that was found to hold does so again, and for no other data, key or signature', () => {
  const [key, other] = [keyPair(), keyPair()];
  const signature = key.signatureOver(DATA);
  expect([verifyEd25519(key.raw, DATA, signature), verifyEd25519(key.raw, DATA, signature)]).toEqual([true, true]);
  expect(verifyEd25519(key.raw, utf8('lane.example\n8\n'), signature)).toBe(false);
  expect(verifyEd25519(other.raw, DATA, signature)).toBe(false);
  expect(verifyEd25519(key.raw, DATA, other.signatureOver(DATA))).toBe(false);
  const bent = signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte));
  expect([verifyEd25519(key.raw, DATA, bent), verifyEd25519(key.raw, DATA, bent)]).toEqual([false, false]);
  expect(verifyEd25519(key.raw, DATA, signature.subarray(1))).toBe(false);
});
