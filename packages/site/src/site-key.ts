/** The site's own key: made here, never leaves. It signs receipts and the request for a record. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign, createPublicKey } from 'node:crypto';
import { keyIdOf, shellWord, type Signer, SiteError, utf8 } from '@sealane/core';
import type { Disk } from './disk.js';
import { durableWrite } from './durable-write.js';

/** A P-256 key in PKCS#8 PEM takes 241 bytes. */
const MAX_KEY_BYTES = 16 * 1024;

/** Bits by which others than the owner could read or write. */
const OTHERS = 0o077;

/** Makes a new key, readable by its owner only. */
export function createSiteKey(disk: Disk, file: string): Signer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  durableWrite(disk, file, utf8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()), 0o600);
  return signerOf(privateKey);
}

/**
 * Opens the site's key.
 *
 * @throws SiteError `NOT_ENROLLED` there is none; `KEY_EXPOSED` others than its owner can read or write it; `KEY_MALFORMED` it is not a P-256 key in PKCS#8 PEM
 */
export function openSiteKey(disk: Disk, file: string): Signer {
  const bytes = disk.read(file, MAX_KEY_BYTES);
  if (bytes === undefined) throw new SiteError('NOT_ENROLLED', `open the site's key: expected ${file}, got nothing`, { path: file });
  if ((disk.mode(file) & OTHERS) !== 0) {
    throw new SiteError(
      'KEY_EXPOSED',
      `open the site's key ${file}: expected mode 0600, others can read or write it`,
      { path: file },
      { hint: `run: chmod 600 ${shellWord(file)}` },
    );
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(Buffer.from(bytes));
  } catch (cause) {
    throw new SiteError('KEY_MALFORMED', `open the site's key: expected PKCS#8 PEM in ${file}`, { path: file }, { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new SiteError('KEY_MALFORMED', `open the site's key: expected ECDSA P-256 in ${file}`, { path: file });
  return signerOf(key);
}

function signerOf(key: KeyObject): Signer {
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  return { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
}
