import { describe, expect, it } from 'vitest';
import { hex } from './bytes.js';
import { DER, der, derObjectId } from './der.js';

describe('DER', () => {
  it('writes lengths in their shortest form', () => {
    expect(hex(der(DER.sequence, new Uint8Array(0)))).toBe('3000');
    expect(hex(der(DER.sequence, new Uint8Array(0x7f))).slice(0, 4)).toBe('307f');
    expect(hex(der(DER.sequence, new Uint8Array(0x80))).slice(0, 6)).toBe('308180');
    expect(hex(der(DER.sequence, new Uint8Array(0x1234))).slice(0, 8)).toBe('30821234');
  });

  it('writes object identifiers as X.690 does', () => {
    // the examples of RFC 5758 (ecdsa-with-SHA256) and RFC 5280 (commonName)
    expect(hex(derObjectId('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
    expect(hex(derObjectId('2.5.4.3'))).toBe('0603550403');
  });
});
