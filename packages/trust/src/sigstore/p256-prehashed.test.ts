/** Our own ECDSA over a digest, held against OpenSSL's over the message. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { fromHex, sha256Raw, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyP256Prehashed } from './p256-prehashed.js';

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const pairs = [0, 1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const [first] = pairs;
if (first === undefined) throw new RangeError('make keys: expected three');
const { privateKey, publicKey } = first;
const message = utf8('message');
const good = new Uint8Array(sign('sha256', message, privateKey));

const ours = (data: Uint8Array, signature: Uint8Array, key: KeyObject = publicKey): boolean =>
  verifyP256Prehashed(key, sha256Raw(data), signature);

/** DER of a signature, as short as DER asks. */
function der(r: bigint, s: bigint): Uint8Array {
  const integer = (value: bigint): Uint8Array => {
    const digits = value.toString(16);
    const bytes = fromHex(digits.length % 2 === 0 ? digits : `0${digits}`);
    const body = (bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes;
    return Uint8Array.of(0x02, body.length, ...body);
  };
  const body = Uint8Array.of(...integer(r), ...integer(s));
  return Uint8Array.of(0x30, body.length, ...body);
}

describe('a signature over a digest', () => {
  it('is taken and refused as OpenSSL takes and refuses it over the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(2), fc.nat(2), (data, by, under) => {
        const signature = new Uint8Array(sign('sha256', data, pairs[by]?.privateKey ?? privateKey));
        const key = pairs[under]?.publicKey ?? publicKey;
        expect(ours(data, signature, key)).toBe(verify('sha256', data, key, signature));
        expect(ours(data, signature, key)).toBe(by === under);
      }),
      { numRuns: 60 },
    );
  });

  it('is never taken with a byte changed, cut off or added', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bent = good.map((byte, index) => (index === at ? byte ^ flip : byte));
        expect(ours(message, bent)).toBe(false);
        expect(ours(message, good.subarray(0, at))).toBe(false);
        expect(ours(message, Uint8Array.of(...good, at))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('is never arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void expect(ours(message, bytes)).toBe(false)));
  });

  it.each([0n, N, N + 1n, 2n ** 256n])('has numbers within the order of the group: not %s', (edge) => {
    expect(ours(message, der(edge, 1n))).toBe(false);
    expect(ours(message, der(1n, edge))).toBe(false);
  });

  it('has one encoding: no padding, no negative number, no long length', () => {
    const length = good[1] ?? 0;
    expect(ours(message, good)).toBe(true);
    expect(ours(message, Uint8Array.of(0x30, 0x81, length, ...good.subarray(2)))).toBe(false);
    const rLength = good[3] ?? 0;
    expect(ours(message, Uint8Array.of(0x30, length + 1, 0x02, rLength + 1, 0, ...good.subarray(4)))).toBe(false);
  });

  it('is over 32 bytes, by a key of this curve', () => {
    expect(verifyP256Prehashed(publicKey, sha256Raw(message).subarray(1), good)).toBe(false);
    for (const other of [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    ]) {
      expect(verifyP256Prehashed(other.publicKey, sha256Raw(message), good)).toBe(false);
    }
  });

  it('is not taken again with the order of the group added to a number', () => {
    const rLength = good[3] ?? 0;
    const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    const [r, s] = [number(good.subarray(4, 4 + rLength)), number(good.subarray(6 + rLength))];
    expect(ours(message, der(r, s))).toBe(true);
    expect(ours(message, der(r, s + N))).toBe(false);
    expect(ours(message, der(r + N, s))).toBe(false);
  });

  it('whose sums meet equal and opposite points is answered as OpenSSL answers: the key is the generator itself', () => {
    const point = {
      kty: 'EC',
      crv: 'P-256',
      x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
      y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
    };
    const one = createPrivateKey({
      format: 'jwk',
      key: { ...point, d: Buffer.from(fromHex('1'.padStart(64, '0'))).toString('base64url') },
    });
    const g = createPublicKey(one);
    for (let turn = 0; turn < 8; turn += 1) expect(ours(message, new Uint8Array(sign('sha256', message, one)), g)).toBe(true);
    const z = BigInt(`0x${Buffer.from(sha256Raw(message)).toString('hex')}`) % N;
    // r = -z: both scalars cancel, and the sum is the point at infinity
    for (const r of [z, N - z, 1n, N - 1n]) expect(ours(message, der(r, 1n), g)).toBe(verify('sha256', message, g, der(r, 1n)));
  });
});
