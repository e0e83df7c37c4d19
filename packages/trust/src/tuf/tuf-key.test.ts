import { createHash, ECDH, generateKeyPairSync, sign } from 'node:crypto';
import { type JsonObject, utf8 } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { olpcJson } from './olpc-json.js';
import { parseTufKey, tufKeyId, tufKeyOfSpki, tufKeyVerifies } from './tuf-key.js';

const data = utf8('signed bytes');
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const brainpool = generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' });
const pemOf = (pair: typeof ec): string => pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const keyJson = (keytype: string, scheme: string, value: string): JsonObject => ({ keytype, scheme, keyval: { public: value } });
const parse = (json: JsonObject): ReturnType<typeof parseTufKey> => parseTufKey(tufKeyId(json), json, 'lane');
const pss = { key: rsa.privateKey, padding: 6, saltLength: 32 };

describe('a TUF key', () => {
  it.each([
    ['ecdsa', 'ecdsa-sha2-nistp256', pemOf(ec), sign('sha256', data, ec.privateKey)],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256', pemOf(ec), sign('sha256', data, ec.privateKey)],
    [
      'ed25519',
      'ed25519',
      ed.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex'),
      sign(null, data, ed.privateKey),
    ],
    ['rsa', 'rsassa-pss-sha256', pemOf(rsa), sign('sha256', data, pss)],
  ])('of type %s and scheme %s verifies its own signatures only', (keytype, scheme, value, signature) => {
    const key = parse(keyJson(keytype, scheme, value));
    expect(tufKeyVerifies(key, data, signature.toString('hex'))).toBe(true);
    expect(tufKeyVerifies(key, utf8('other bytes'), signature.toString('hex'))).toBe(false);
    expect(tufKeyVerifies(key, data, signature.toString('base64'))).toBe(false);
    expect(tufKeyVerifies(key, data, `${signature.toString('hex')}0`)).toBe(false);
    expect(tufKeyVerifies(key, data, '')).toBe(false);
  });

  it.each([
    ['an unknown scheme', keyJson('ed25519', 'none', pemOf(ec))],
    ['a type that does not fit the scheme', keyJson('ed25519', 'ecdsa-sha2-nistp256', pemOf(ec))],
    ['an EC key declared as Ed25519', keyJson('ed25519', 'ed25519', pemOf(ec))],
    ['an RSA key too small', keyJson('rsa', 'rsassa-pss-sha256', pemOf(smallRsa))],
    ['a key on another curve than it declares', keyJson('ecdsa', 'ecdsa-sha2-nistp256', pemOf(brainpool))],
    ['no key at all', keyJson('ecdsa', 'ecdsa-sha2-nistp256', 'nonsense')],
  ])('counts for nothing with %s', (_what, json) => {
    expect(parse(json).verifier).toBeUndefined();
    expect(tufKeyVerifies(parse(json), data, sign('sha256', data, ec.privateKey).toString('hex'))).toBe(false);
  });

  it('must have its own hash as its id in a lane, not in plain TUF', () => {
    const { json } = tufKeyOfSpki(new Uint8Array(ec.publicKey.export({ type: 'spki', format: 'der' })));
    expect(() => parseTufKey('0'.repeat(64), json, 'lane')).toThrow(expect.objectContaining({ code: 'TRUST_MALFORMED' }));
    expect(parseTufKey('0'.repeat(64), json, 'plain').verifier).toBeDefined();
  });

  it('is known by its public key, whatever stands around it', () => {
    const plain = parse(keyJson('ecdsa', 'ecdsa-sha2-nistp256', pemOf(ec)));
    const dressed = parse({ ...keyJson('ecdsa', 'ecdsa-sha2-nistp256', pemOf(ec)), note: 'another id' });
    expect(dressed.id).not.toBe(plain.id);
    expect(dressed.spkiId).toBe(plain.spkiId);
  });

  it('is known by its public key, however its point is written', () => {
    const der = ec.publicKey.export({ type: 'spki', format: 'der' });
    const point = der.subarray(-65);
    const compressed = ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed') as Buffer;
    const hybrid = Buffer.from(point);
    hybrid[0] = 0x06 | ((point[64] ?? 0) & 1);
    const spellings = [
      Buffer.concat([Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'), compressed]),
      Buffer.concat([der.subarray(0, -65), hybrid]),
    ];
    for (const spelling of spellings) {
      const pem = `-----BEGIN PUBLIC KEY-----\n${spelling.toString('base64')}\n-----END PUBLIC KEY-----\n`;
      const key = parse(keyJson('ecdsa', 'ecdsa-sha2-nistp256', pem));
      expect(tufKeyVerifies(key, data, sign('sha256', data, ec.privateKey).toString('hex'))).toBe(true);
      expect(key.spkiId).toBe(parse(keyJson('ecdsa', 'ecdsa-sha2-nistp256', pemOf(ec))).spkiId);
    }
  });

  it('has the id that other TUF tools compute', () => {
    const json = keyJson('ed25519', 'ed25519', 'ab');
    const text = '{"keytype":"ed25519","keyval":{"public":"ab"},"scheme":"ed25519"}';
    expect(tufKeyId(json)).toBe(createHash('sha256').update(text).digest('hex'));
  });
});

describe('the canonical JSON that TUF signs', () => {
  it('sorts keys, escapes quotes and backslashes only', () => {
    expect(Buffer.from(olpcJson({ b: [1, true, null], a: 'line\n"quoted" \\ ü' })).toString()).toBe(
      '{"a":"line\n\\"quoted\\" \\\\ ü","b":[1,true,null]}',
    );
  });

  it('has no form for fractions', () => {
    expect(() => olpcJson({ version: 1.5 })).toThrow(expect.objectContaining({ code: 'TRUST_MALFORMED' }));
  });
});
