/** Which files of keys may go into a backup: what nobody can use who finds it. */
import path from 'node:path';
import { EXAMPLE_KEY_IDS, PromoterError, SealaneError } from '@sealane/core';
import { isCosignKey } from '../signers/cosign-key.js';
import { parsePrivateKey } from '../signers/key-file.js';
import { REFERENCE_SUFFIX } from '../signers/key-reference-file.js';
import { NO_PASSPHRASE } from '../signers/passphrase.js';
import { isRevokedKeys, REVOKED_KEYS } from '../trust/revoked-keys.js';

/** What a file among the keys holds. Whatever is not known to be something else counts as a secret. */
type KeyFileKind = 'public' | 'reference' | 'revoked' | 'sealed' | 'example' | 'plain';

/** A PEM block with its label. */
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;

/** A file among the keys, with its bytes. */
export interface KeyFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What goes in, and the names of the private keys that do not. */
export interface ChosenKeys {
  readonly taken: readonly KeyFile[];
  readonly leftOut: readonly string[];
}

/**
 * Chooses the files of keys for a backup. Example keys count as plain in a lane that was not made from them.
 *
 * @throws PromoterError `KEY_UNSEALED` a private key as plain text, unless `wish` leaves all private keys out
 */
export function chooseKeys(files: readonly KeyFile[], wish: 'sealed-keys' | 'no-keys', lane: { readonly isExample: boolean }): ChosenKeys {
  const kinds = files.map((file) => ({ file, kind: kindOf(file, lane) }));
  const isOpen = (kind: KeyFileKind): boolean => kind === 'public' || kind === 'reference' || kind === 'revoked';
  if (wish === 'no-keys') {
    const left = kinds.filter(({ kind }) => !isOpen(kind));
    return { taken: kinds.filter(({ kind }) => isOpen(kind)).map(({ file }) => file), leftOut: left.map(({ file }) => file.name) };
  }
  const plain = kinds.filter(({ kind }) => kind === 'plain').map(({ file }) => file.name);
  if (plain.length > 0)
    throw new PromoterError(
      'KEY_UNSEALED',
      `back up keys: expected every private key sealed or kept elsewhere, got as plain text: ${plain.join(', ')}`,
      {
        names: plain,
      },
    );
  return { taken: files, leftOut: [] };
}

function kindOf({ name, bytes }: KeyFile, { isExample }: { readonly isExample: boolean }): KeyFileKind {
  const text = Buffer.from(bytes).toString('latin1');
  const labels = [...text.matchAll(BLOCK)].map(([, label = '']) => label);
  const rest = text.replace(BLOCK, '').trim();
  const isPublic = (label: string): boolean => label === 'PUBLIC KEY';
  if (labels.length > 0 && rest === '') {
    if (labels.every(isPublic)) return 'public';
    if (isCosignKey(text) && labels.every((label) => isPublic(label) || /^ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY$/.test(label)))
      return 'sealed';
  }
  if (path.extname(name) === REFERENCE_SUFFIX && labels.every(isPublic) && /^(?:pkcs11|exec):[^\n]+$/.test(rest)) return 'reference';
  // without it the next proposal would let revoked keys count again
  if (path.basename(name) === REVOKED_KEYS && isRevokedKeys(bytes)) return 'revoked';
  return isExample && isExampleKey(text, name) ? 'example' : 'plain';
}

function isExampleKey(pem: string, name: string): boolean {
  try {
    return EXAMPLE_KEY_IDS.has(parsePrivateKey(pem, name, NO_PASSPHRASE).id);
  } catch (error) {
    // no key that can be read: a secret of another kind
    if (error instanceof SealaneError) return false;
    throw error;
  }
}
