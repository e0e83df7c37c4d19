/** What is written as a document is what is read as one, and nothing else is written. */
import { LIMITS } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { refusal } from '../../../../test/support/refusal.js';
import { encodeDocument, parseDocument } from './document.js';

const shape = z.strictObject({ b: z.string(), a: z.array(z.json()) });
const encode = (value: unknown, maxBytes: number = LIMITS.policyBytes): Uint8Array =>
  encodeDocument('thing', shape, value as z.output<typeof shape> & Record<string, never>, maxBytes);

/** A value of so many levels. */
const nested = (levels: number): unknown => (levels === 0 ? 'core' : [nested(levels - 1)]);

describe('encodeDocument', () => {
  it('writes what parseDocument reads', () => {
    const document = { b: 'é\n', a: [{ z: 1, y: [null, true] }, 2.5] };
    const bytes = encode(document);
    expect(Buffer.from(bytes).toString()).toBe('{"a":[{"y":[null,true],"z":1},2.5],"b":"é\\n"}');
    expect(parseDocument('thing', shape, bytes, LIMITS.policyBytes)).toEqual(document);
  });

  it('refuses another shape', () => {
    expect(refusal(() => encode({ b: 'x', a: [], c: 1 }))).toBe('TRUST_MALFORMED');
  });

  it('refuses what is too large or too deep, at the very bound of the reader', () => {
    const bytes = encode({ b: '', a: [nested(30)] });
    expect(parseDocument('thing', shape, bytes, bytes.length)).toMatchObject({ b: '' });
    expect(encode({ b: '', a: [nested(30)] }, bytes.length)).toEqual(bytes);
    expect(refusal(() => encode({ b: '', a: [nested(30)] }, bytes.length - 1))).toBe('TRUST_TOO_LARGE');
    expect(refusal(() => encode({ b: '', a: [nested(31)] }))).toBe('TRUST_TOO_LARGE');
    const deeper = Buffer.from(JSON.stringify({ a: [nested(31)], b: '' }));
    expect(refusal(() => parseDocument('thing', shape, deeper, LIMITS.policyBytes))).toBe('TRUST_TOO_LARGE');
  });
});
