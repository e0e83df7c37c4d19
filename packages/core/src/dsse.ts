/** DSSE envelopes with exactly one signature (DSSE 1.0.2; Sigstore bundle v0.3 allows no more). */
import { base64, concatBytes, fromBase64, utf8 } from './bytes.js';
import type { JsonObject, JsonValue } from './canonical-json.js';
import { type Digest, sha256 } from './digest.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { restate } from './restate.js';

/** Payload type of an in-toto statement. */
export const INTOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** An envelope: payload and signature in base64. `keyid` stays empty: cosign compares a non-empty one with an SSH fingerprint. */
export interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly [{ readonly sig: string; readonly keyid?: string }];
}

/** The bytes that are signed: DSSE's pre-authentication encoding of type and payload. */
export function pae(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concatBytes(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** Puts payload and signature into an envelope. */
export function makeEnvelope(payloadType: string, payload: Uint8Array, signature: Uint8Array): Envelope {
  return { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature), keyid: '' }] };
}

/**
 * An envelope out of a JSON value. Stricter than DSSE: unknown fields are refused and base64 has one form, so that an envelope has one
 * meaning for every verifier.
 *
 * @throws CoreError `ENVELOPE_MALFORMED`
 */
export function parseEnvelope(value: JsonValue): Envelope {
  const envelope = fields(value, ['payload', 'payloadType', 'signatures'], 'an envelope');
  const { payload, payloadType, signatures } = envelope;
  if (typeof payload !== 'string' || typeof payloadType !== 'string' || !Array.isArray(signatures)) {
    throw malformed('payload, payloadType and signatures');
  }
  if (signatures.length !== 1) throw malformed(`exactly one signature, got ${signatures.length}`);
  const { sig, keyid } = fields(signatures[0] as JsonValue, ['sig', 'keyid'], 'a signature');
  if (typeof sig !== 'string' || (keyid !== undefined && typeof keyid !== 'string')) throw malformed('sig and keyid as text');
  const bytes = restate('ENVELOPE_MALFORMED', () => fromBase64(payload), 'read a DSSE envelope: expected a payload in standard base64');
  if (bytes.length > LIMITS.statementBytes) throw malformed(`at most ${LIMITS.statementBytes} payload bytes, got ${bytes.length}`);
  restate('ENVELOPE_MALFORMED', () => fromBase64(sig), 'read a DSSE envelope: expected a signature in standard base64');
  return { payload, payloadType, signatures: [keyid === undefined ? { sig } : { sig, keyid }] };
}

/** The payload's bytes. */
export function envelopePayload(envelope: Envelope): Uint8Array {
  return fromBase64(envelope.payload);
}

/** The signature's bytes. */
export function envelopeSignature(envelope: Envelope): Uint8Array {
  return fromBase64(envelope.signatures[0].sig);
}

/** The statement digest: SHA-256 of the payload, the same whoever signs it and whatever proofs are added. */
export function statementDigestOf(envelope: Envelope): Digest {
  return sha256(envelopePayload(envelope));
}

function fields(value: JsonValue, known: readonly string[], what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} as an object`);
  const object = value as JsonObject;
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw malformed(`${what} with ${known.join(', ')} only, got ${JSON.stringify(unknown.slice(0, 40))}`);
  return object;
}

function malformed(expected: string): CoreError {
  return new CoreError('ENVELOPE_MALFORMED', `read a DSSE envelope: expected ${expected}`);
}
