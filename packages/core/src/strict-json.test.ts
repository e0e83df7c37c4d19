import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refusal } from '../../../test/support/refusal.js';
import { utf8 } from './bytes.js';
import type { JsonValue } from './canonical-json.js';
import { parseStrictJson } from './strict-json.js';

const WIDE = { maxBytes: 40_000_000, maxDepth: 64 };
const parse = (text: string): JsonValue => parseStrictJson(utf8(text), WIDE);
const codeFor = (text: string): string | undefined => refusal(() => parse(text));

describe('takes what JSON.parse takes', () => {
  test.each([
    '0',
    '-0',
    '-1.5e-3',
    '1E2',
    '9007199254740991',
    '""',
    '"\\ud83d\\ude00\\n\\u0041\\/"',
    ' [ 1 , { } , [ ] ] ',
    '{"a":{"b":[null,true,false]}}',
    '\t{\r\n"x" : 1}\n',
    '"\u007f\u2028"',
  ])('%j', (text) => expect(parse(text)).toEqual(JSON.parse(text)));
});

describe('refuses what is not JSON', () => {
  test.each([
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '-',
    'NaN',
    'Infinity',
    'nul',
    'truex',
    "'a'",
    '"a',
    '"\\x41"',
    '"\\u12"',
    '"a\nb"',
    '"\\',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '{"a":1',
    '{,}',
    '[]]',
    '1 2',
    '/**/1',
    '\ufeff1',
    '\u00a01',
    '"\t"',
  ])('%j', (text) => expect(codeFor(text)).toBe('JSON_MALFORMED'));
  test('bytes that are not UTF-8', () => {
    for (const bytes of [[0xff], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc0, 0x80, 0x22]]) {
      expect(refusal(() => parseStrictJson(Uint8Array.from(bytes), WIDE))).toBe('JSON_MALFORMED');
    }
  });
});

describe('refuses what JSON.parse lets pass', () => {
  test('a key twice, also when one of them is escaped, at any depth', () => {
    for (const text of ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"x":{"b":1,"c":2,"b":3}}]', '{"__proto__":1,"__proto__":2}']) {
      expect([text, codeFor(text)]).toEqual([text, 'JSON_DUPLICATE_KEY']);
    }
    expect(codeFor('{"a":{"a":1},"b":{"a":1}}')).toBeUndefined();
  });
  test('numbers that a double cannot hold apart', () => {
    for (const text of ['9007199254740992', '9007199254740993', '-9007199254740993', '1e16', '1e400', '-1e400', '9007199254740992.5']) {
      expect([text, codeFor(text)]).toEqual([text, 'JSON_MALFORMED']);
    }
  });
  test('lone surrogates, in values and keys', () => {
    for (const text of ['"\\ud800"', '"\\udc00\\ud800"', '{"\\udfff":1}', '"a\\ud83dx"'])
      expect([text, codeFor(text)]).toEqual([text, 'JSON_MALFORMED']);
  });
});

test('a key named __proto__ is a key and changes no prototype', () => {
  const value = parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}');
  expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'toString']);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect((value as { admin?: boolean }).admin).toBeUndefined();
});

test('depth and size are bounded', () => {
  const nested = (depth: number): Uint8Array => utf8('['.repeat(depth) + ']'.repeat(depth));
  expect(refusal(() => parseStrictJson(nested(32), { maxBytes: 100, maxDepth: 32 }))).toBeUndefined();
  expect(refusal(() => parseStrictJson(nested(33), { maxBytes: 100, maxDepth: 32 }))).toBe('JSON_TOO_DEEP');
  expect(refusal(() => parseStrictJson(utf8('{"a":'.repeat(33)), { maxBytes: 1000, maxDepth: 32 }))).toBe('JSON_TOO_DEEP');
  expect(refusal(() => parseStrictJson(utf8('[1]'), { maxBytes: 2, maxDepth: 32 }))).toBe('JSON_TOO_LARGE');
  expect(refusal(() => parseStrictJson(utf8('['.repeat(5_000_000)), WIDE))).toBe('JSON_TOO_DEEP');
  expect(refusal(() => parseStrictJson(nested(500_000), WIDE))).toBe('JSON_TOO_DEEP');
});

test('refuses more values than were to be expected, before it has read them all', () => {
  const few = { maxBytes: 40_000_000, maxDepth: 32, maxValues: 4 };
  for (const text of ['[1,2,3]', '{"a":{"b":[1]}}', '"a long text"', ' [ [ ] , [ ] , 1 ] '])
    expect(parseStrictJson(utf8(text), few)).toEqual(JSON.parse(text));
  for (const text of ['[1,2,3,4]', '{"a":{"b":[1,2]}}', '[[],[],[],[]]', '[1,2,3,4,no JSON', `[${'{},'.repeat(1000)}{}]`])
    expect(refusal(() => parseStrictJson(utf8(text), few))).toBe('JSON_TOO_LARGE');
});

test('a string of many megabytes is read, not a stack overflow', () => {
  expect(parse(`"${'a'.repeat(16_000_000)}"`)).toHaveLength(16_000_000);
  expect(parse(`["${'\\n'.repeat(8_000_000)}"]`)).toEqual(['\n'.repeat(8_000_000)]);
});

test('a refusal names the place', () => {
  expect(() => parse('{"a":1,\n "b" 2}')).toThrow('read JSON: expected ":" at offset 13, got "2}"');
});

test('arbitrary bytes are a value or a named refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(refusal(() => parseStrictJson(bytes, WIDE)) ?? 'JSON_').toMatch(/^JSON_/);
    }),
  );
});

test('any text that is taken, JSON.parse takes too and reads the same', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '"a"',
      '"b"',
      '\\',
      '0',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\n',
      '\\u0041',
      '{"a":1}',
    ),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      if (codeFor(text) === undefined) expect(parse(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const code = codeFor(text);
      // fast-check writes no duplicate keys and no lone surrogates, but numbers beyond 2^53
      if (code === undefined) expect(parse(text)).toEqual(JSON.parse(text));
      else expect([code, text]).toEqual(['JSON_MALFORMED', expect.stringMatching(/\d{16}|e\+?\d/)]);
    }),
  );
});

test('a text as JSON.stringify writes it is judged as any other', () => {
  const read = (text: string): unknown => codeFor(text) ?? parse(text);
  const numbers = fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 53 - 1, 1e21, 5e-324, 0.1, -1);
  const texts = fc.constantFrom('\ud800', '"', '\\', '\u0001', '__proto__', '1', '0');
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'medium' },
      numbers,
      texts,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any')),
      fc.dictionary(texts, tie('any')),
    ),
  })).any;
  fc.assert(
    fc.property(value, (each) => {
      const text = JSON.stringify(each);
      // a blank before it is not how it writes
      expect(read(text)).toEqual(read(` ${text}`));
    }),
    { numRuns: 2000 },
  );
  expect(read('[9007199254740992]')).toBe('JSON_MALFORMED');
});
