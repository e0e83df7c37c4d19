/** The two documents that a keyless signer sends, in DER: a certificate request (RFC 2986) and a timestamp request (RFC 3161). */
import { concatBytes, fromHex, sha256Raw } from '@sealane/core';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
const TRUE = fromHex('0101ff');
/** The AlgorithmIdentifiers of SHA-256 and of ECDSA with SHA-256 (RFC 5754, RFC 5758). */
const SHA256 = fromHex('300d06096086480165030402010500');
const ECDSA_WITH_SHA256 = fromHex('300a06082a8648ce3d040302');
/** No attributes: `[0]`, empty. */
const NO_ATTRIBUTES = fromHex('a000');

/** A certificate request for the key `spki`, without a subject: who it is, the token says. Its signature proves that the asker has the key. */
export async function certificateRequest(spki: Uint8Array, sign: (data: Uint8Array) => Promise<Uint8Array>): Promise<Uint8Array> {
  const info = der(SEQUENCE, der(INTEGER, Uint8Array.of(0)), der(SEQUENCE), spki, NO_ATTRIBUTES);
  return der(SEQUENCE, info, ECDSA_WITH_SHA256, der(BIT_STRING, Uint8Array.of(0), await sign(info)));
}

/** A request for a timestamp over the SHA-256 of `data`, with the authority's certificate in the answer. `nonce` is 8 bytes. */
export function timestampRequest(data: Uint8Array, nonce: Uint8Array): Uint8Array {
  const imprint = der(SEQUENCE, SHA256, der(OCTET_STRING, sha256Raw(data)));
  // a leading one keeps the number positive and in its shortest form
  return der(SEQUENCE, der(INTEGER, Uint8Array.of(1)), imprint, der(INTEGER, Uint8Array.of(1), nonce), TRUE);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  const { length } = body;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.of(tag, ...(length < 0x80 ? [length] : long)), body);
}
