/** A sealed secret as it waits for its site: the statement with its proof, and the bytes that the site alone opens. One blob, named by the shard. */
import { base64, canonicalJson, fromBase64, type JsonObject, LIMITS, sealedBytes } from '@sealane/core';
import { z } from 'zod';
import { parseDocument } from './document.js';
import { BASE64, jsonObjectShape } from './shapes.js';

/** The parts of one: a bundle whose statement is a secret's, and the sealed bytes. */
export interface SealedSecret {
  readonly bundle: JsonObject;
  readonly sealed: Uint8Array;
}

/** Zod's shape of the document. */
export const sealedSecretShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('SealedSecret'),
  bundle: jsonObjectShape,
  sealed: z
    .string()
    .regex(BASE64)
    .min(4)
    .max(Math.ceil((sealedBytes(LIMITS.secretBytes) * 4) / 3) + 4),
});

/** Parses one. @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, or not canonical */
export function parseSealedSecret(bytes: Uint8Array): SealedSecret {
  const { bundle, sealed } = parseDocument('sealed secret', sealedSecretShape, bytes, LIMITS.sealedSecretBytes);
  return { bundle, sealed: fromBase64(sealed) };
}

/** The bytes of one, checked by the parser that sites use. @throws TrustError as `parseSealedSecret` */
export function encodeSealedSecret({ bundle, sealed }: SealedSecret): Uint8Array {
  const bytes = canonicalJson({ apiVersion: 'sealane/v1', kind: 'SealedSecret', bundle, sealed: base64(sealed) });
  parseSealedSecret(bytes);
  return bytes;
}
