/** Bytes of an XML document to text, in the encoding that it declares (XML 1.0, section 4.3.3 and appendix F), in pieces. */

/** Bytes decoded at a time: large enough to be fast, small enough that no second copy of a report is held. */
const PIECE_BYTES = 64 * 1024;
/** Where an XML declaration must stand: it is at the very start, and the longest sensible one is far shorter. */
const DECLARATION_BYTES = 256;

/** The bytes are not text in the encoding that they declare, or that encoding is not taken. */
export class XmlTextError extends Error {}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | 'iso-8859-1';

/** Names that real test tools write. ASCII is read as UTF-8, which it is a part of. */
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'utf-8',
  ascii: 'utf-8',
  'iso-8859-1': 'iso-8859-1',
  latin1: 'iso-8859-1',
  'windows-1252': 'windows-1252',
  cp1252: 'windows-1252',
};

/**
 * Hands the text of `bytes` to `take`, piece by piece, without a byte-order mark.
 *
 * @throws XmlTextError an encoding that is not taken, contradicts the byte-order mark, or is not what the bytes are in
 */
export function eachXmlText(bytes: Uint8Array, take: (text: string) => void): void {
  const { encoding, skip } = encodingOf(bytes);
  const decode = decoderOf(encoding);
  for (let at = skip; at < bytes.length; at += PIECE_BYTES) take(decode(bytes.subarray(at, at + PIECE_BYTES), 'more'));
  take(decode(new Uint8Array(), 'end'));
}

function encodingOf(bytes: Uint8Array): { readonly encoding: Encoding; readonly skip: number } {
  if (startsWith(bytes, 0xff, 0xfe)) return { encoding: 'utf-16le', skip: 2 };
  if (startsWith(bytes, 0xfe, 0xff)) return { encoding: 'utf-16be', skip: 2 };
  const hasMark = startsWith(bytes, 0xef, 0xbb, 0xbf);
  const head = latin1(bytes.subarray(hasMark ? 3 : 0, DECLARATION_BYTES));
  const declared = /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/.exec(head)?.[1]?.toLowerCase();
  const encoding = declared === undefined ? 'utf-8' : Object.hasOwn(ENCODINGS, declared) ? ENCODINGS[declared] : undefined;
  if (encoding === undefined) throw new XmlTextError(`expected an encoding that is taken, got ${String(declared)}`);
  // The mark says UTF-8; a declaration of something else would make two readers see two texts.
  if (hasMark && encoding !== 'utf-8') throw new XmlTextError(`expected the encoding of the byte-order mark, got ${String(declared)}`);
  return { encoding, skip: hasMark ? 3 : 0 };
}

function decoderOf(encoding: Encoding): (piece: Uint8Array, state: 'more' | 'end') => string {
  // WHATWG's "iso-8859-1" is windows-1252; XML's is not.
  if (encoding === 'iso-8859-1') return latin1;
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (piece, state) => {
    try {
      return decoder.decode(piece, { stream: state === 'more' });
    } catch (cause) {
      throw new XmlTextError(`expected ${encoding} as the document says, got bytes that are not`, { cause });
    }
  };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function startsWith(bytes: Uint8Array, ...mark: readonly number[]): boolean {
  return mark.every((byte, index) => bytes[index] === byte);
}
