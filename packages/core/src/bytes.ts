/** Conversions between bytes and text that refuse what is not exactly one value's form. */
import { CoreError } from './errors.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Half of a pair that encodes one character: it has no UTF-8 form, and encoders turn it into U+FFFD. */
export const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Text of UTF-8 bytes.
 *
 * @throws CoreError `BYTES_MALFORMED` not UTF-8
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CoreError('BYTES_MALFORMED', `decode text: expected UTF-8, got ${bytes.length} bytes that are not`, {}, { cause });
  }
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Bytes of standard base64. Only the canonical form is taken: no white space, no missing padding, no stray bits.
 *
 * @throws CoreError `BYTES_MALFORMED`
 */
export function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    throw new CoreError('BYTES_MALFORMED', `decode base64: expected canonical standard base64, got ${JSON.stringify(text.slice(0, 32))}`);
  }
  return new Uint8Array(bytes);
}

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * Bytes of lower-case hexadecimal.
 *
 * @throws CoreError `BYTES_MALFORMED`
 */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) {
    throw new CoreError('BYTES_MALFORMED', `decode hex: expected pairs of lower-case digits, got ${JSON.stringify(text.slice(0, 32))}`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Whether two byte strings are equal. Not constant time: for public values only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** The parts one after another. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
