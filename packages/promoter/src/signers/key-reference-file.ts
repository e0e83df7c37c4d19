/** NAME.keyref: says where a key is kept that is no file here, and is followed by its public half, so that it can be named without asking for it. */
import { PromoterError, type Signer } from '@sealane/core';
import { durableWrite, PRIVATE_FILE } from '../disk-shell.js';
import { publicPem, refuseToReplace } from './key-file.js';
import { readSecret } from './secret-file.js';

/** Ends the name of such a file. */
export const REFERENCE_SUFFIX = '.keyref';

/**
 * The KEYREF in a file. Whoever can write the file could name another helper to run: it must be the owner's alone, as a key's.
 *
 * @throws PromoterError `KEY_EXPOSED`; `KEY_MALFORMED` no reference to a token or a helper in it
 */
export function readKeyReference(file: string): string {
  const [line = ''] = Buffer.from(readSecret(file, 'key reference')).toString('utf8').split('\n', 1);
  if (isReference(line)) return line;
  throw new PromoterError('KEY_MALFORMED', `read key reference ${file}: expected pkcs11:… or exec:… in its first line`, { file });
}

/** Writes where the key of `signer` is kept. @throws PromoterError `KEY_EXISTS`; `USAGE` not a token's or a helper's */
export function writeKeyReference(file: string, keyRef: string, { spki }: Pick<Signer, 'spki'>): void {
  refuseToReplace(file);
  if (!isReference(keyRef)) throw new PromoterError('USAGE', 'read --held-by: expected pkcs11:… or exec:…, got another reference');
  durableWrite(file, `${keyRef}\n${publicPem(spki)}`, PRIVATE_FILE);
}

function isReference(text: string): boolean {
  return /^(?:pkcs11|exec):[^\n]+$/.test(text);
}
