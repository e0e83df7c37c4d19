/** Private keys in PEM files: who may read them, which kind they must be, and how they are opened when they are encrypted. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { EXAMPLE_KEY_IDS, keyIdOf, p256PublicKey, PromoterError, type Signer } from '@sealane/core';
import { durableWrite, PRIVATE_FILE, readOptional } from '../disk-shell.js';
import { isCosignKey, openCosignKey, sealCosignKey } from './cosign-key.js';
import { NO_PASSPHRASE, type Passphrase } from './passphrase.js';
import { exposed, openSecret } from './secret-file.js';

/** A private key with its id (hex SHA-256 of SPKI DER). */
export interface PrivateKey {
  readonly key: KeyObject;
  readonly id: string;
  readonly spki: Uint8Array;
}

/**
 * Reads a private key; its text is wiped once it is taken in.
 *
 * @throws PromoterError `CONFIG_INVALID` not there; `KEY_MALFORMED`; `KEY_LOCKED` encrypted, and not by this passphrase; `KEY_EXPOSED` others
 * can read it (example keys excepted: everybody has them)
 */
export function readPrivateKey(file: string, passphrase: Passphrase = NO_PASSPHRASE): PrivateKey {
  const { bytes, isExposed } = openSecret(file, 'key');
  try {
    // an encrypted key that others can read is refused before its passphrase is asked for
    if (isExposed && isCosignKey(Buffer.from(bytes).toString('latin1'))) throw exposed(file, 'key');
    const key = parsePrivateKey(bytes, file, passphrase);
    if (isExposed && !EXAMPLE_KEY_IDS.has(key.id)) throw exposed(file, 'key');
    return key;
  } finally {
    bytes.fill(0);
  }
}

/** A private key out of PEM text, plain or as cosign encrypts it; `source` names it in messages. @throws PromoterError `KEY_MALFORMED`, `KEY_LOCKED` */
export function parsePrivateKey(pem: Uint8Array | string, source: string, passphrase: Passphrase): PrivateKey {
  const text = typeof pem === 'string' ? pem : Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength).toString('latin1');
  if (!isCosignKey(text)) return privateKeyOf(() => createPrivateKey(Buffer.from(pem)), source);
  const der = openCosignKey(text, passphrase(), source);
  try {
    return privateKeyOf(
      () => createPrivateKey({ key: Buffer.from(der.buffer, der.byteOffset, der.byteLength), format: 'der', type: 'pkcs8' }),
      source,
    );
  } finally {
    der.fill(0);
  }
}

function privateKeyOf(read: () => KeyObject, source: string): PrivateKey {
  try {
    const key = read();
    const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
    return { key, spki, id: keyIdOf(spki) };
  } catch (cause) {
    throw new PromoterError(
      'KEY_MALFORMED',
      `read key ${source}: expected a private key in PEM, plain or encrypted by cosign`,
      { source },
      { cause },
    );
  }
}

/** A signer of statements and metadata over a private key. @throws CoreError `KEY_MALFORMED` not ECDSA P-256 */
export function signerOf({ key, id, spki }: PrivateKey): Signer {
  p256PublicKey(spki);
  return { keyId: id, spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
}

/** Refuses a file that is there: a key is never replaced. @throws PromoterError `KEY_EXISTS` */
export function refuseToReplace(file: string): void {
  if (readOptional(file) !== undefined) throw new PromoterError('KEY_EXISTS', `create key ${file}: there is one already`, { file });
}

/**
 * Makes a key pair and writes the private half for its owner only, encrypted where a passphrase is given. Beside an encrypted key stands its
 * public half, so that it need not be opened to be named.
 *
 * @throws PromoterError `KEY_EXISTS`
 */
export function createKeyFile(file: string, kind: 'p256' | 'ed25519', passphrase?: Passphrase): Omit<PrivateKey, 'key'> {
  refuseToReplace(file);
  const { privateKey, publicKey } = kind === 'p256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const pem =
    passphrase === undefined
      ? privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      : `${encrypted(privateKey, passphrase)}${publicPem(spki)}`;
  durableWrite(file, pem, PRIVATE_FILE);
  return { id: keyIdOf(spki), spki };
}

function encrypted(privateKey: KeyObject, passphrase: Passphrase): string {
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  try {
    return sealCosignKey(new Uint8Array(der), passphrase(), randomBytes);
  } finally {
    der.fill(0);
  }
}

/** SubjectPublicKeyInfo DER as PEM. */
export function publicPem(spki: Uint8Array): string {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}
