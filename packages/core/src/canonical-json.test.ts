import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refusal } from '../../../test/support/refusal.js';
import { fromUtf8 } from './bytes.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';
import { parseStrictJson } from './strict-json.js';

const canonical = (value: JsonValue): string => fromUtf8(canonicalJson(value));
const WIDE = { maxBytes: 1_000_000, maxDepth: 100 };

test('RFC 8785, section 3.2.2: the sample with numbers, escapes and literals', () => {
  const sample = {
    // eslint-disable-next-line no-loss-of-precision -- the sample's own spelling
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  const expected =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
  expect(canonical(sample)).toBe(expected);
  // section 3.2.4 gives the same as bytes: these are the first and the last of them
  expect(Buffer.from(canonicalJson(sample)).toString('hex')).toMatch(
    /^7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c.*5c5c5c5c5c222f227d$/,
  );
});

test('RFC 8785, section 3.2.3: keys are sorted by UTF-16 code units', () => {
  const sample = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  const values = Object.values(parseStrictJson(canonicalJson(sample), WIDE) as Record<string, string>);
  // an integer-like key moves to the front in any JavaScript object, so the order is read off the text
  const order = [...canonical(sample).matchAll(/:"([^"]*)"/g)].map(([, value]) => value);
  expect(order).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ]);
  expect(new Set(values)).toEqual(new Set(order));
});

/** Section 3.2 by its words, one value after another. */
function byTheBook(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(byTheBook).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${byTheBook(member)}`).join(',')}}`;
}

test('any value, its keys in any order and looking like numbers or not, is written by the book', () => {
  const key = fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat({ max: 20 }).map(String), fc.constantFrom('__proto__', 'toJSON'));
  const { any } = fc.letrec<{ any: JsonValue }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.double({ noNaN: true, min: -1e15, max: 1e15 }), fc.boolean()),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(key, tie('any'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(any, (value) => {
      const text = canonical(value);
      expect(text).toBe(byTheBook(value));
      expect(canonical(parseStrictJson(Buffer.from(text), WIDE))).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test('what JSON cannot say is refused wherever the keys stand in order', () => {
  const bad = ['\ud800', { '\udc00': 1 }, [undefined], [Number.NaN], { a: Number.POSITIVE_INFINITY }, [1n], [() => 1]];
  for (const value of bad) {
    expect(refusal(() => canonical(value as unknown as JsonValue))).toBe('JSON_MALFORMED');
    expect(refusal(() => canonical({ z: 1, a: value } as unknown as JsonValue))).toBe('JSON_MALFORMED');
  }
  // a text that only looks like an escape
  expect(canonical(['\\ud800'])).toBe('["\\\\ud800"]');
});

/** RFC 8785, appendix B: IEEE 754 bits and their text. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

test.each(NUMBERS)('RFC 8785, appendix B: %s is %s', (bits, text) => {
  expect(canonical(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
});

test('RFC 8785, appendix B: NaN and infinity are refused', () => {
  for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000']) {
    expect(refusal(() => canonicalJson(Buffer.from(bits, 'hex').readDoubleBE()))).toBe('JSON_MALFORMED');
  }
});

test('lone surrogates are refused in values and in keys', () => {
  expect(refusal(() => canonicalJson('\udead'))).toBe('JSON_MALFORMED');
  expect(refusal(() => canonicalJson({ 'a\ud800': 1 }))).toBe('JSON_MALFORMED');
  expect(canonical('\ud83d\ude00')).toBe('"\ud83d\ude00"');
});

test('an undefined field is left out, an undefined item is refused', () => {
  expect(canonical({ b: undefined, a: 1 })).toBe('{"a":1}');
  const hole: unknown = [undefined];
  expect(refusal(() => canonicalJson(hole as JsonValue))).toBe('JSON_MALFORMED');
});

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>;

test('canonical bytes are read back to the same value, and written to the same bytes', () => {
  fc.assert(
    fc.property(json, (value) => {
      const bytes = canonicalJson(value);
      let read: JsonValue;
      try {
        read = parseStrictJson(bytes, WIDE);
      } catch {
        // only a number beyond 2^53 is written and not read
        expect(JSON.stringify(value)).toMatch(/\d{16}|e\+/);
        return;
      }
      expect(canonicalJson(read)).toEqual(bytes);
    }),
    { numRuns: 300 },
  );
});

test('the order in which keys were set makes no difference', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.nat()), (object) => {
      expect(canonicalJson(Object.fromEntries(Object.entries(object).reverse()))).toEqual(canonicalJson(object));
    }),
  );
});
