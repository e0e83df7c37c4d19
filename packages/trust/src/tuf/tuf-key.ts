/** Keys of TUF metadata (TUF 4.2.2): what is known, how a key id comes about, and when a signature counts. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { hex, type JsonObject, keyIdOf, p256PublicKey, sha256Raw, TrustError } from '@sealane/core';
import { getPublicKey, type PublicKey } from '@tufjs/models/dist/utils/key.js';
import { isJsonObject } from './json-object.js';
import { olpcJson } from './olpc-json.js';
import type { TufRules } from './rules.js';

/**
 * A public key under its TUF id. `spkiId` is hex SHA-256 of its SPKI DER, the id used everywhere else: signatures are counted by it, so one key
 * under two ids counts once. `verifier` is absent for kinds of keys that nobody here knows: such a key counts for nothing.
 */
export interface TufKey {
  readonly id: string;
  readonly spkiId: string;
  readonly verifier: PublicKey | undefined;
}

/** RSA keys below this are refused: 2048 bits is the least that NIST SP 800-131A allows. */
const MIN_RSA_BITS = 2048;

/** Scheme → the kind of key Node must see behind it, and the key types that may declare it (TUF 4.2.2; `ecdsa-sha2-nistp256` is an older spelling). */
const SCHEMES: ReadonlyMap<string, { readonly kind: string; readonly keyTypes: readonly string[] }> = new Map([
  ['ed25519', { kind: 'ed25519', keyTypes: ['ed25519'] }],
  ['ecdsa-sha2-nistp256', { kind: 'ec', keyTypes: ['ecdsa', 'ecdsa-sha2-nistp256'] }],
  ['rsassa-pss-sha256', { kind: 'rsa', keyTypes: ['rsa'] }],
]);

/** A key's TUF id: hex SHA-256 of the canonical JSON of the whole key object, unknown fields too (TUF 4.2.2). */
export function tufKeyId(key: JsonObject): string {
  return createHash('sha256').update(olpcJson(key)).digest('hex');
}

/**
 * A key out of the `keys` of root or of delegations.
 *
 * @throws TrustError `TRUST_MALFORMED` no type, scheme or value; under `lane` rules also an id that is not the hash of the key
 */
export function parseTufKey(id: string, key: JsonObject, rules: TufRules): TufKey {
  const { keytype, scheme, keyval } = key;
  const value = isJsonObject(keyval) ? keyval.public : undefined;
  if (typeof keytype !== 'string' || typeof scheme !== 'string' || typeof value !== 'string') {
    throw new TrustError('TRUST_MALFORMED', `read key ${shortId(id)}: expected keytype, scheme and keyval.public`);
  }
  // stricter than the specification, whose clients take any id: two names for one key are how a threshold is faked
  if (rules === 'lane' && tufKeyId(key) !== id) {
    throw new TrustError('TRUST_MALFORMED', `read key ${shortId(id)}: expected the hash of the key as its id, ${shortId(tufKeyId(key))}`, {
      keyId: id,
    });
  }
  return { id, ...publicKeyOf({ keyType: keytype, scheme, keyVal: value }) };
}

/** Whether `signature` (hex) over `data` is by `key`. Malformed signatures and unknown kinds of keys are false. */
export function tufKeyVerifies(key: TufKey, data: Uint8Array, signature: string): boolean {
  if (key.verifier === undefined || !/^(?:[0-9a-f]{2})+$/i.test(signature)) return false;
  const holding = held.get(key.verifier) ?? new Set<string>();
  held.set(key.verifier, holding);
  const name = `${signature} ${hex(sha256Raw(data))}`;
  if (holding.has(name)) return true;
  if (!verify(key.verifier.hashAlgorithm, data, key.verifier, Buffer.from(signature, 'hex'))) return false;
  if (holding.size >= MAX_HELD) holding.clear();
  holding.add(name);
  return true;
}

/** Signatures of a key that hold, with the hash of what they are over: who publishes often reads what did not change each time. */
const held = new WeakMap<PublicKey, Set<string>>();
/** Of one key: some 250 bytes each, of an RSA key three times that. */
const MAX_HELD = 256;

/** The TUF form of a P-256 key: what the publisher writes into `keys`, and its id. `spki` is SubjectPublicKeyInfo DER. */
export function tufKeyOfSpki(spki: Uint8Array): { readonly id: string; readonly json: JsonObject } {
  const pem = p256PublicKey(spki).export({ type: 'spki', format: 'pem' }).toString();
  const json = { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: pem } };
  return { id: tufKeyId(json), json };
}

interface DeclaredKey {
  readonly keyType: string;
  readonly scheme: string;
  readonly keyVal: string;
}

/** Keys by what declares them: a lane's metadata has the same ones each time that it is read. */
const known = new Map<string, Pick<TufKey, 'spkiId' | 'verifier'>>();
/** Of a few lanes. */
const MAX_KNOWN = 1000;

function publicKeyOf(declared: DeclaredKey): Pick<TufKey, 'spkiId' | 'verifier'> {
  const name = JSON.stringify(declared);
  const key = known.get(name) ?? readPublicKey(declared);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, key);
  return key;
}

/** A key that cannot be used stays in the document without a verifier: one stray key must not make the others useless. */
function readPublicKey(declared: DeclaredKey): Pick<TufKey, 'spkiId' | 'verifier'> {
  const scheme = SCHEMES.get(declared.scheme);
  const verifier = scheme?.keyTypes.includes(declared.keyType) === true ? decodeKey(declared) : undefined;
  const key = verifier?.key;
  if (key === undefined || key.asymmetricKeyType !== scheme?.kind || !isOnP256(key) || rsaBits(key) < MIN_RSA_BITS) {
    return { spkiId: hex(sha256Raw(Buffer.from(declared.keyVal))), verifier: undefined };
  }
  return { spkiId: keyIdOf(spkiOf(key)), verifier };
}

function decodeKey(declared: DeclaredKey): PublicKey | undefined {
  try {
    return getPublicKey(declared);
  } catch (error) {
    // whatever models or OpenSSL says of bytes that are no such key: it verifies nothing, and the threshold says so
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function isOnP256({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve === 'prime256v1';
}

/** One key has one id, however its PEM spells it: OpenSSL writes a point out as it was written in, compressed or not. */
function spkiOf(key: KeyObject): Uint8Array {
  const whole = key.asymmetricKeyType === 'ec' ? createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' }) : key;
  return whole.export({ type: 'spki', format: 'der' });
}

function rsaBits(key: KeyObject): number {
  return key.asymmetricKeyType === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : Infinity;
}

function shortId(id: string): string {
  return JSON.stringify(id.slice(0, 16));
}
