/** The request of Rekor v2 that strangers may send: anything but a P-256 signature over a digest of 32 bytes is refused, whatever it is, by one code. */
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { keyIdOf, parseLogLeaf, SealaneError, utf8 } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { readRecordRequest } from './record-request.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });

function requestOf(
  text: string,
  changes: { readonly digest?: Buffer; readonly der?: Buffer; readonly keyDetails?: string } = {},
): Uint8Array {
  const { digest = createHash('sha256').update(text).digest(), der = sign('sha256', Buffer.from(text), privateKey) } = changes;
  const verifier = { keyDetails: changes.keyDetails ?? 'PKIX_ECDSA_P256_SHA_256', publicKey: { rawBytes: spki.toString('base64') } };
  const signature = { content: der.toString('base64'), verifier };
  return utf8(JSON.stringify({ hashedRekordRequestV002: { digest: digest.toString('base64'), signature } }));
}

function codeOf(bytes: Uint8Array): string | undefined {
  try {
    readRecordRequest(bytes);
    return undefined;
  } catch (error) {
    return error instanceof SealaneError ? error.code : String(error);
  }
}

describe('a request to log a record', () => {
  it('is taken apart into the leaf that verifiers make again, and who signed', () => {
    for (let run = 0; run < 40; run += 1) {
      const record = readRecordRequest(requestOf(`text ${run}`));
      expect(record.keyId).toBe(keyIdOf(new Uint8Array(spki)));
      expect(parseLogLeaf(record.leaf).paeDigest).toEqual(new Uint8Array(createHash('sha256').update(`text ${run}`).digest()));
      expect(record.isSigned()).toBe(true);
    }
  });

  it('is not signed where the signature is over another digest, and each signature has a name of its own', () => {
    const der = sign('sha256', Buffer.from('this'), privateKey);
    expect(readRecordRequest(requestOf('that', { der })).isSigned()).toBe(false);
    const names = ['this', 'this', 'that'].map((text) => readRecordRequest(requestOf(text)).name);
    expect(new Set(names).size).toBe(3);
    expect(readRecordRequest(requestOf('this', { der })).name).toBe(readRecordRequest(requestOf('this', { der })).name);
  });

  it.each<[string, Parameters<typeof requestOf>[1]]>([
    ['a digest of 20 bytes', { digest: Buffer.alloc(20) }],
    ['no DER', { der: Buffer.from('no signature') }],
    ['r and s of zero', { der: Buffer.from('3006020100020100', 'hex') }],
    ['more than the signature', { der: Buffer.concat([sign('sha256', Buffer.from('x'), privateKey), Buffer.from([0])]) }],
    ['another kind of key', { keyDetails: 'PKIX_ED25519' }],
  ])('is refused: %s', (_, changes) => {
    expect(codeOf(requestOf('x', changes))).toBe('RECORD_MALFORMED');
  });

  it('takes nothing from a stranger but what it is, and says so by one code', () => {
    tryParser({ parse: readRecordRequest, samples: [requestOf('a'), requestOf('b')], codes: /^RECORD_MALFORMED$/, runs: 100 });
  });
});
