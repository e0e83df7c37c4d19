/** Keys for tests, made anew in each run. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { keyIdOf, type Envelope, makeEnvelope, INTOTO_PAYLOAD_TYPE, pae, type Signer } from '@sealane/core';

/** A P-256 signer with its private key at hand, so that tests can sign without waiting. */
export interface TestSigner extends Signer {
  readonly privateKey: KeyObject;
  readonly pem: string;
  signNow(data: Uint8Array): Uint8Array;
}

/** A new P-256 key. */
export function testSigner(): TestSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const signNow = (data: Uint8Array): Uint8Array => new Uint8Array(sign('sha256', data, privateKey));
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { keyId: keyIdOf(spki), spki, privateKey, pem, signNow, sign: (data) => Promise.resolve(signNow(data)) };
}

/** Signs a statement's payload. */
export function envelopeOf(payload: Uint8Array, signer: TestSigner): Envelope {
  return makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signer.signNow(pae(INTOTO_PAYLOAD_TYPE, payload)));
}

/** A new Ed25519 key, for a log or a witness. */
export function ed25519Key(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}
