/**
 * A secret value sealed to one site, in the format of age (age-encryption.org/v1): X25519, HKDF-SHA-256, ChaCha20-Poly1305.
 *
 * age says who can open it and nothing of what it is for: so site, name and version are sealed in with the value, and whoever opens it says which it
 * expects. Without that, a signer who knows no value could pass one secret off as another.
 */
import { base64, fromBase64 } from './bytes.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';
import { CoreError, SealaneError } from './errors.js';
import { LIMITS } from './limits.js';
import { parseStrictJson } from './strict-json.js';

/** What a value is for: the site by the id of its key, the secret by its name, and which value of it this is. */
export interface SealedFor {
  readonly keyId: string;
  readonly secret: string;
  readonly version: number;
}

/** An X25519 recipient of age: 32 bytes in Bech32. */
export const SEALING_RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;

/** The header of age for one recipient, its payload's tags, and the names beside the value. */
const OVERHEAD_BYTES = 1024;

/** The private half that opens what is sealed to a site, as text (`AGE-SECRET-KEY-1…`), and the public half that others seal to. */
export interface SealingKey {
  readonly identity: string;
  readonly recipient: string;
}

/** Makes a new key. */
export async function makeSealingKey(): Promise<SealingKey> {
  const { generateX25519Identity } = await age();
  return await openSealingKey(await generateX25519Identity());
}

/** The key with its public half. @throws CoreError `KEY_MALFORMED` it is no X25519 identity of age */
export async function openSealingKey(text: string): Promise<SealingKey> {
  const identity = text.trim();
  if (!IDENTITY.test(identity)) throw new CoreError('KEY_MALFORMED', 'open a sealing key: expected AGE-SECRET-KEY-1 and 58 characters');
  const { identityToRecipient } = await age();
  try {
    return { identity, recipient: await identityToRecipient(identity) };
  } catch (cause) {
    throw new CoreError('KEY_MALFORMED', 'open a sealing key: expected an X25519 identity of age, its checksum is wrong', {}, { cause });
  }
}

/**
 * Seals a value of at most 64 KiB: two seals of one value have nothing in common.
 *
 * @throws CoreError `SECRET_INVALID` the value is empty or too long, or the recipient is none
 */
export async function sealValue(value: Uint8Array, sealedFor: SealedFor, recipient: string): Promise<Uint8Array> {
  if (value.length === 0 || value.length > LIMITS.secretBytes)
    throw invalid(`seal secret ${sealedFor.secret}: expected a value of 1 to ${LIMITS.secretBytes} bytes, got ${value.length}`);
  if (!SEALING_RECIPIENT.test(recipient))
    throw invalid(`seal secret ${sealedFor.secret}: expected an X25519 recipient of age, got another`);
  const { keyId, secret, version } = sealedFor;
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return await encrypter.encrypt(canonicalJson({ keyId, secret, version, value: base64(value) }));
}

/**
 * Opens a sealed value, and holds what was sealed with it to what it is taken for.
 *
 * @throws CoreError `SECRET_INVALID` it was sealed to another key, altered, or is of another site, secret or version
 */
export async function openValue(sealed: Uint8Array, { keyId, secret, version }: SealedFor, { identity }: SealingKey): Promise<Uint8Array> {
  const what = `open secret ${secret}`;
  const inner = parsed(await decrypted(sealed, identity, what), what);
  const { value, ...sealedFor } = inner;
  const isIts = sealedFor['keyId'] === keyId && sealedFor['secret'] === secret && sealedFor['version'] === version;
  if (!isIts || Object.keys(sealedFor).length !== 3 || typeof value !== 'string')
    throw invalid(`${what}: expected version ${version} of it for this site, got what was sealed as another`);
  return fromBase64(value);
}

async function decrypted(sealed: Uint8Array, identity: string, what: string): Promise<Uint8Array> {
  if (sealed.length > sealedBytes(LIMITS.secretBytes)) throw invalid(`${what}: expected at most ${LIMITS.secretBytes} bytes, got more`);
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(sealed);
  } catch (cause) {
    // the library's errors are of no class of their own: any throw is a seal that does not open
    throw invalid(`${what}: expected a value sealed to the key of this site, got one that it does not open`, cause);
  }
}

/** Most bytes that a sealed value of so many bytes has. */
export function sealedBytes(valueBytes: number): number {
  return Math.ceil((valueBytes * 4) / 3) + OVERHEAD_BYTES;
}

function parsed(bytes: Uint8Array, what: string): Readonly<Record<string, JsonValue>> {
  try {
    const value = parseStrictJson(bytes, { maxBytes: sealedBytes(LIMITS.secretBytes), maxDepth: 2 });
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, JsonValue>>;
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    // its message could quote the value
  }
  throw invalid(`${what}: expected keyId, secret, version and value in it, got something else`);
}

function invalid(message: string, cause?: unknown): CoreError {
  return new CoreError('SECRET_INVALID', message, {}, cause === undefined ? {} : { cause });
}

/** Loaded when a secret is sealed or opened: no other command waits for it. */
function age(): Promise<typeof import('age-encryption')> {
  return import('age-encryption');
}
