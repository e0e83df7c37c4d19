/** The little of DER (ITU-T X.690) that we write ourselves: what an edge host needs for a certificate request, and one extension that no library here has. */
import { concatBytes, utf8 } from './bytes.js';

/** Tags as they stand in a file; `context` ones are implicit or, with the bit 0x20, constructed. */
export const DER = { integer: 0x02, bitString: 0x03, objectId: 0x06, utf8String: 0x0c, sequence: 0x30, set: 0x31 } as const;

/** A value in its frame: tag, length in the shortest form, contents one after the other. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag), lengthOf(body.length), body);
}

/** An object identifier, as `1.2.840.10045.4.3.2`: two arcs at least. */
export function derObjectId(text: string): Uint8Array {
  const [first = 0, second = 0, ...arcs] = text.split('.').map(Number);
  return der(DER.objectId, Uint8Array.from([first * 40 + second, ...arcs].flatMap(base128)));
}

/** Bits that fill whole bytes. */
export function derBits(bytes: Uint8Array): Uint8Array {
  return der(DER.bitString, Uint8Array.of(0), bytes);
}

/** A distinguished name of one common name (RFC 5280, section 4.1.2.4). */
export function derCommonName(text: string): Uint8Array {
  return der(DER.sequence, der(DER.set, der(DER.sequence, derObjectId('2.5.4.3'), der(DER.utf8String, utf8(text)))));
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** Seven bits a byte, the highest bit where another follows (X.690, section 8.19.2). */
function base128(arc: number): readonly number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}
