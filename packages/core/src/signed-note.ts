/**
 * Signed notes: text, a blank line, signature lines (C2SP signed-note v1.0.0).
 *
 * A verifier key (vkey) is `name+hash+base64(type || key)`. Types known here: 0x01 Ed25519 (a log), 0x04 Ed25519 cosignature (a witness).
 */
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { base64, concatBytes, equalBytes, fromBase64, fromUtf8, hex, LONE_SURROGATE, utf8 } from './bytes.js';
import { sha256Raw } from './digest.js';
import { verifyEd25519 } from './ed25519.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { restate } from './restate.js';

/** Signature types of C2SP signed-note. */
export const NOTE_KEY_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const;
export type NoteKeyType = (typeof NOTE_KEY_TYPE)[keyof typeof NOTE_KEY_TYPE];

/** A verifier key: who (`name`), the 4-byte key hash, type, 32 bytes of Ed25519 public key. */
export interface Vkey {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly type: NoteKeyType;
  readonly publicKey: Uint8Array;
}

/** One signature line, not verified: `blob` is what follows the key hash. */
export interface NoteSignature {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly blob: Uint8Array;
}

/** A note taken apart, not verified. `text` ends in a newline. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** C2SP asks to accept at least 16 signatures; a hostile note may not make us look at more than this. */
const MAX_SIGNATURES = 100;
const SIGNATURE_LINE = /^\u2014 (\S+) (\S+)$/;
/** A key name: not empty, no white space, no plus sign (C2SP signed-note). */
const NAME = /^[^\s+\p{White_Space}\p{Control}]+$/u;
/** No control character (below U+0020) but newline. */
// eslint-disable-next-line no-control-regex -- the format is defined by the absence of control characters
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/**
 * Takes a note apart at its last blank line.
 *
 * @throws CoreError `NOTE_MALFORMED`
 */
export function parseNote(note: string | Uint8Array): Note {
  const whole = noteText(note);
  const split = whole.lastIndexOf('\n\n');
  if (LONE_SURROGATE.test(whole)) throw malformed('UTF-8');
  if (split < 0 || !whole.endsWith('\n')) throw malformed('text, a blank line and signatures, each ended by a newline');
  if (CONTROL.test(whole)) throw malformed('no control characters but newlines');
  const lines = whole.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`at most ${MAX_SIGNATURES} signatures, got ${lines.length}`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

function noteText(note: string | Uint8Array): string {
  if ((typeof note === 'string' ? note.length : note.byteLength) > LIMITS.checkpointBytes)
    throw malformed(`at most ${LIMITS.checkpointBytes} bytes`);
  return typeof note === 'string' ? note : restate('NOTE_MALFORMED', () => fromUtf8(note), 'read a signed note: expected UTF-8');
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined || !NAME.test(name)) throw malformed('signature lines of the form "— name base64"');
  const bytes = restate('NOTE_MALFORMED', () => fromBase64(encoded), 'read a signed note: expected signatures in base64');
  if (bytes.length < 5) throw malformed('signatures of at least 5 bytes');
  return { name, keyHash: bytes.subarray(0, 4), blob: bytes.subarray(4) };
}

/**
 * A verifier key out of its text.
 *
 * @throws CoreError `VKEY_MALFORMED` wrong form, unknown type, or a hash that is not the key's
 */
export function parseVkey(text: string): Vkey {
  const [, name, hash, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  if (name === undefined || hash === undefined || encoded === undefined || !NAME.test(name)) throw badVkey('name+hash+key', text);
  const bytes = restate('VKEY_MALFORMED', () => fromBase64(encoded), 'read a verifier key: expected a key in base64');
  const type = bytes[0];
  if ((type !== NOTE_KEY_TYPE.ed25519 && type !== NOTE_KEY_TYPE.cosignature) || bytes.length !== 33) {
    throw badVkey('an Ed25519 key of type 1 or 4', text);
  }
  const vkey = makeVkey(name, type, bytes.subarray(1));
  if (hex(vkey.keyHash) !== hash) throw badVkey(`the hash ${hex(vkey.keyHash)}`, text);
  return vkey;
}

/**
 * A verifier key of its parts.
 *
 * @throws CoreError `VKEY_MALFORMED` the name is empty or holds white space or a plus sign
 */
export function makeVkey(name: string, type: NoteKeyType, publicKey: Uint8Array): Vkey {
  if (!NAME.test(name)) throw badVkey('a name without white space and plus signs', name);
  return { name, type, publicKey, keyHash: keyHashBytes(name, type, publicKey).subarray(0, 4) };
}

/** All 32 bytes whose first four are the key hash: SHA-256(name || 0x0A || type || key). For a log they are its log id. */
export function keyHashBytes(name: string, type: NoteKeyType, publicKey: Uint8Array): Uint8Array {
  return sha256Raw(utf8(`${name}\n`), new Uint8Array([type]), publicKey);
}

/** The log id of a log's key, as bundles and trusted roots carry it. */
export function logId(vkey: Vkey): Uint8Array {
  return keyHashBytes(vkey.name, vkey.type, vkey.publicKey);
}

/** The text of a verifier key. */
export function formatVkey(vkey: Vkey): string {
  return `${vkey.name}+${hex(vkey.keyHash)}+${base64(concatBytes(new Uint8Array([vkey.type]), vkey.publicKey))}`;
}

/** The verifier key of an Ed25519 key pair. */
export function vkeyOf(name: string, type: NoteKeyType, key: KeyObject): Vkey {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new CoreError(
      'KEY_MALFORMED',
      `make a verifier key for ${name}: expected Ed25519, got ${key.asymmetricKeyType ?? 'an unknown kind'}`,
    );
  }
  return makeVkey(name, type, new Uint8Array(spki.subarray(-32)));
}

/** Signs note text as `name`; returns the signature line with its newline. `text` must end in a newline. */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  const { keyHash } = vkeyOf(name, NOTE_KEY_TYPE.ed25519, privateKey);
  return signatureLine(name, keyHash, new Uint8Array(sign(null, utf8(text), privateKey)));
}

/** A signature line of its parts, with its newline. */
export function signatureLine(name: string, keyHash: Uint8Array, blob: Uint8Array): string {
  return `\u2014 ${name} ${base64(concatBytes(keyHash, blob))}\n`;
}

/**
 * Verifies a note against the Ed25519 keys that are known (type 0x01); unknown signatures are passed over.
 * A signature that claims a known key but is wrong condemns the whole note.
 *
 * @returns the text and the keys that signed it, each once; maybe none
 * @throws CoreError `NOTE_MALFORMED`, `NOTE_UNVERIFIED`
 */
export function openNote(note: string | Uint8Array, known: readonly Vkey[]): { readonly text: string; readonly verified: readonly Vkey[] } {
  const { text, signatures } = parseNote(note);
  const verified = new Set<Vkey>();
  for (const signature of signatures) {
    const vkey = known.find((key) => key.type === NOTE_KEY_TYPE.ed25519 && isBy(signature, key));
    if (vkey === undefined) continue;
    if (!verifyEd25519(vkey.publicKey, utf8(text), signature.blob)) {
      throw new CoreError('NOTE_UNVERIFIED', `verify a signed note: expected a valid signature by ${vkey.name}, got a wrong one`);
    }
    verified.add(vkey);
  }
  return { text, verified: [...verified] };
}

/** Whether a signature line claims to be by this key: name and key hash. */
export function isBy(signature: NoteSignature, vkey: Vkey): boolean {
  return signature.name === vkey.name && equalBytes(signature.keyHash, vkey.keyHash);
}

function malformed(expected: string): CoreError {
  return new CoreError('NOTE_MALFORMED', `read a signed note: expected ${expected}`);
}

function badVkey(expected: string, text: string): CoreError {
  return new CoreError('VKEY_MALFORMED', `read a verifier key: expected ${expected}, got ${JSON.stringify(text.slice(0, 120))}`);
}
