/** The frame of every TUF file, `{signatures, signed}` (TUF 4.2.1), and the one place where signatures are counted. */
import { type JsonObject, type JsonValue, LIMITS, parseStrictJson, SealaneError, TrustError } from '@sealane/core';
import { isJsonObject } from './json-object.js';
import { olpcJson } from './olpc-json.js';
import { type TufKey, tufKeyVerifies } from './tuf-key.js';

/** A parsed file. `signedBytes` is what the signatures cover; `signatures` maps key id → hex signature. Nothing in it is verified yet. */
export interface SignedDocument {
  readonly signed: JsonObject;
  readonly signedBytes: Uint8Array;
  readonly signatures: ReadonlyMap<string, string>;
}

/** Who may sign for a role, and how many of them must (TUF 4.3, `KEYID`s and `THRESHOLD`). */
export interface Authority {
  readonly keys: ReadonlyMap<string, TufKey>;
  readonly keyIds: readonly string[];
  readonly threshold: number;
}

/**
 * Reads the frame of a TUF file.
 *
 * @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE` (more than `maxBytes`, or nested too deeply)
 */
export function parseSignedDocument(fileName: string, bytes: Uint8Array, maxBytes: number): SignedDocument {
  const whole = readJson(fileName, bytes, maxBytes);
  const signed = isJsonObject(whole) ? whole.signed : undefined;
  const signatures = isJsonObject(whole) ? whole.signatures : undefined;
  if (!isJsonObject(signed) || !Array.isArray(signatures)) {
    throw new TrustError('TRUST_MALFORMED', `read ${fileName}: expected an object with signatures and signed`);
  }
  return { signed, signedBytes: olpcJson(signed), signatures: signatureMap(fileName, signatures) };
}

/** Ids of the authority's keys with a valid signature on the document, one for each distinct public key. */
export function validSigners(document: SignedDocument, authority: Authority): readonly string[] {
  // TUF 5.3.4: each KEY contributes one signature; counted by public key, so a key under two ids is one
  const signers = new Map<string, string>();
  for (const keyId of new Set(authority.keyIds)) {
    const key = authority.keys.get(keyId);
    const signature = document.signatures.get(keyId);
    if (key === undefined || signature === undefined || signers.has(key.spkiId)) continue;
    if (tufKeyVerifies(key, document.signedBytes, signature)) signers.set(key.spkiId, keyId);
  }
  return [...signers.values()];
}

/**
 * Checks for an arbitrary software attack (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3): a threshold of the authority's keys signed the document. Returns which did: ids
 * (hex SHA-256 of SPKI), sorted.
 *
 * @throws TrustError `TRUST_THRESHOLD`
 */
export function requireThreshold(fileName: string, document: SignedDocument, authority: Authority): readonly string[] {
  const signers = validSigners(document, authority);
  const valid = signers.length;
  if (valid >= authority.threshold) return signers.flatMap((keyId) => authority.keys.get(keyId)?.spkiId ?? []).toSorted();
  throw new TrustError(
    'TRUST_THRESHOLD',
    `verify ${fileName}: expected ${authority.threshold} valid signatures of its role's keys, got ${valid}`,
    {
      fileName,
      valid,
      needed: authority.threshold,
    },
  );
}

function readJson(fileName: string, bytes: Uint8Array, maxBytes: number): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes, maxDepth: LIMITS.jsonDepth });
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const code = cause.code === 'JSON_TOO_LARGE' || cause.code === 'JSON_TOO_DEEP' ? 'TRUST_TOO_LARGE' : 'TRUST_MALFORMED';
    throw new TrustError(code, `read ${fileName}: ${cause.message}`, { fileName }, { cause });
  }
}

function signatureMap(fileName: string, entries: readonly JsonValue[]): ReadonlyMap<string, string> {
  const signatures = new Map<string, string>();
  for (const entry of entries) {
    const keyId = isJsonObject(entry) ? entry.keyid : undefined;
    const signature = isJsonObject(entry) ? entry.sig : undefined;
    if (typeof keyId !== 'string' || typeof signature !== 'string') {
      throw new TrustError('TRUST_MALFORMED', `read ${fileName}: expected every signature to have keyid and sig`);
    }
    // TUF 4.2.1: the keyid MUST be unique in the signatures array
    if (signatures.has(keyId)) {
      throw new TrustError(
        'TRUST_MALFORMED',
        `read ${fileName}: expected one signature for each key id, got ${JSON.stringify(keyId.slice(0, 16))} again`,
      );
    }
    signatures.set(keyId, signature);
  }
  return signatures;
}
