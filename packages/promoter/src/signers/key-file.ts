/** Private keys in PEM files: who may read them, and which kind they must be. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import { EXAMPLE_KEY_IDS, keyIdOf, p256PublicKey, PromoterError, type Signer } from '@sealane/core';
import { durableWrite, PRIVATE_FILE, PUBLIC_FILE, readNamed, readOptional } from '../disk-shell.js';

/** A private key with its id (hex SHA-256 of SPKI DER). */
export interface PrivateKey {
  readonly key: KeyObject;
  readonly id: string;
  readonly spki: Uint8Array;
}

/** Bits by which others than the owner could read or write. */
const OTHERS = 0o077;

/**
 * Reads a private key.
 *
 * @throws PromoterError `CONFIG_INVALID` not there; `KEY_MALFORMED`; `KEY_EXPOSED` others can read it (example keys excepted: everybody has them)
 */
export function readPrivateKey(file: string): PrivateKey {
  const key = parsePrivateKey(readNamed(file, 'key'), file);
  if ((statSync(file).mode & OTHERS) !== 0 && !EXAMPLE_KEY_IDS.has(key.id)) {
    throw new PromoterError(
      'KEY_EXPOSED',
      `read key ${file}: expected mode 0600, others can read or write it`,
      { file },
      { hint: `run: chmod 600 ${file}` },
    );
  }
  return key;
}

/** A private key out of PEM text; `source` names it in messages. @throws PromoterError `KEY_MALFORMED` */
export function parsePrivateKey(pem: Uint8Array | string, source: string): PrivateKey {
  try {
    const key = createPrivateKey(Buffer.from(pem));
    const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
    return { key, spki, id: keyIdOf(spki) };
  } catch (cause) {
    throw new PromoterError('KEY_MALFORMED', `read key ${source}: expected an unencrypted private key in PEM`, { source }, { cause });
  }
}

/** A signer of statements and metadata over a private key. @throws CoreError `KEY_MALFORMED` not ECDSA P-256 */
export function signerOf({ key, id, spki }: PrivateKey): Signer {
  p256PublicKey(spki);
  return { keyId: id, spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
}

/** Makes a key pair and writes the private half for its owner only. Refuses to replace a file. @throws PromoterError `KEY_EXISTS` */
export function createKeyFile(file: string, kind: 'p256' | 'ed25519'): PrivateKey {
  if (readOptional(file) !== undefined) throw new PromoterError('KEY_EXISTS', `create key ${file}: there is one already`, { file });
  const { privateKey } = kind === 'p256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  durableWrite(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), PRIVATE_FILE);
  return readPrivateKey(file);
}

/** Writes the public half of a key beside where its private half would be. */
export function writePublicKey(file: string, spki: Uint8Array): void {
  durableWrite(file, publicPem(spki), PUBLIC_FILE);
}

/** SubjectPublicKeyInfo DER as PEM. */
export function publicPem(spki: Uint8Array): string {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

/**
 * The public half of the key NAME of a folder, from NAME.pub.pem or NAME.pem.
 *
 * @throws PromoterError `CONFIG_INVALID` neither is there; `KEY_MALFORMED`
 */
export function readPublicHalf(folder: string, name: string): Uint8Array {
  const publicFile = path.join(folder, `${name}.pub.pem`);
  const pem = readOptional(publicFile) ?? readNamed(path.join(folder, `${name}.pem`), `key ${name}`);
  try {
    return new Uint8Array(createPublicKey(Buffer.from(pem)).export({ type: 'spki', format: 'der' }));
  } catch (cause) {
    throw new PromoterError('KEY_MALFORMED', `read key ${name} in ${folder}: expected a key in PEM`, { name }, { cause });
  }
}
