import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refusal } from '../../../test/support/refusal.js';
import { base64, concatBytes, equalBytes, fromBase64, fromHex, fromUtf8, hex, utf8 } from './bytes.js';
import { createDigester, digestFromHex, digestHex, isDigest, parseDigest, sha256, sha256Raw } from './digest.js';

const bytes = fc.uint8Array({ maxLength: 100 });

test('any bytes go through base64 and hex and come back', () => {
  fc.assert(
    fc.property(bytes, bytes, (left, right) => {
      expect(fromBase64(base64(left))).toEqual(left);
      expect(fromHex(hex(left))).toEqual(left);
      // a view into a larger buffer is only what it shows
      const whole = concatBytes(left, right);
      expect(hex(whole.subarray(left.length))).toBe(hex(right));
      expect(base64(whole.subarray(left.length))).toBe(base64(right));
      expect(equalBytes(left, right)).toBe(hex(left) === hex(right));
    }),
  );
});

test('base64 has one form: no white space, no other alphabet, no missing padding, no stray bits', () => {
  for (const text of ['QQ', 'QQ=', 'QR==', 'QUI', 'QQ==\n', ' QQ==', 'QQ==QQ==', '-_-_', '====', 'Q', '\u0410A==']) {
    expect([text, refusal(() => fromBase64(text))]).toEqual([text, 'BYTES_MALFORMED']);
  }
  expect(fromBase64('')).toEqual(new Uint8Array());
});

test('hex is pairs of lower-case digits', () => {
  for (const text of ['a', 'AB', 'zz', '0x00', 'ab\n', ' ab'])
    expect([text, refusal(() => fromHex(text))]).toEqual([text, 'BYTES_MALFORMED']);
});

test('arbitrary text is a refusal, or the one form of its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('AQab01+/=-_ ')) }), (text) => {
      if (refusal(() => fromBase64(text)) === undefined) expect(base64(fromBase64(text))).toBe(text);
      if (refusal(() => fromHex(text)) === undefined) expect(hex(fromHex(text))).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test('text is UTF-8 to the letter, byte order mark and all', () => {
  expect(fromUtf8(utf8('\ufeff\u00e9\u{1f600}'))).toBe('\ufeff\u00e9\u{1f600}');
  for (const bad of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    expect(refusal(() => fromUtf8(Uint8Array.from(bad)))).toBe('BYTES_MALFORMED');
  }
});

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('SHA-256 of FIPS 180-4: whole, in parts and in chunks', () => {
  expect(sha256(utf8('abc'))).toBe(`sha256:${ABC}`);
  expect(hex(sha256Raw(utf8('a'), utf8('bc')))).toBe(ABC);
  expect(hex(sha256Raw())).toBe(EMPTY);
  const digester = createDigester();
  for (const letter of 'abc') digester.update(utf8(letter));
  expect(digester.finish()).toBe(`sha256:${ABC}`);
});

test('a digest has one form', () => {
  expect(parseDigest(`sha256:${ABC}`)).toBe(digestFromHex(ABC));
  expect(digestHex(digestFromHex(ABC))).toBe(ABC);
  for (const value of [
    '',
    ABC,
    `sha256:${ABC.toUpperCase()}`,
    `SHA256:${ABC}`,
    `sha256:${ABC}0`,
    `sha256:${ABC.slice(1)}`,
    `sha256:${ABC}\n`,
    ` sha256:${ABC}`,
    `sha512:${ABC}${ABC}`,
    null,
    7,
    [`sha256:${ABC}`],
  ]) {
    expect([value, isDigest(value), refusal(() => parseDigest(value))]).toEqual([value, false, 'DIGEST_MALFORMED']);
  }
});
