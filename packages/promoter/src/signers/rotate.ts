/** A new private key under the name of an old one; the old one is kept beside it, for what it still has to prove. */
import { renameSync } from 'node:fs';
import path from 'node:path';
import { syncFolder } from '../disk-shell.js';
import { createKeyFile, type PrivateKey, readPrivateKey } from './key-file.js';

/** Moves FILE to FILE.<first 8 of its id>.old and makes a new key in its place. @throws PromoterError as `readPrivateKey` */
export function rotateKey(file: string): { readonly before: PrivateKey; readonly after: PrivateKey } {
  const before = readPrivateKey(file);
  renameSync(file, `${file}.${before.id.slice(0, 8)}.old`);
  syncFolder(path.dirname(file));
  return { before, after: createKeyFile(file, before.key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'p256') };
}
