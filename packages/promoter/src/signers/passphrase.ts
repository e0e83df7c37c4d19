/** Passphrases and PINs: out of a private file or the environment, never out of the command line, where every user of the machine reads them. */
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import { readSecret } from './secret-file.js';

/** Where secrets may come from. */
export interface SecretPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Gives the passphrase of encrypted keys; the caller wipes it. @throws PromoterError `KEY_LOCKED` none was given; as `readSecret` */
export type Passphrase = () => Uint8Array;

/** The passphrase in the file that `SEALANE_PASSWORD_FILE` names, or in `COSIGN_PASSWORD`, where cosign looks for it too. `doing` = what it is for. */
export function passphraseFrom({ env, cwd }: SecretPlace, doing = 'open an encrypted key'): Passphrase {
  return () => {
    const file = env['SEALANE_PASSWORD_FILE'];
    if (file !== undefined && file !== '') return withoutLineEnd(readSecret(path.resolve(cwd, file), 'passphrase'));
    const password = env['COSIGN_PASSWORD'];
    // an empty one is one: cosign makes keys with it
    if (password !== undefined) return new Uint8Array(Buffer.from(password));
    throw new PromoterError(
      'KEY_LOCKED',
      `${doing}: expected its passphrase in the file that SEALANE_PASSWORD_FILE names, or in COSIGN_PASSWORD, got neither`,
    );
  };
}

/** For places where no encrypted key may be. @throws PromoterError `KEY_LOCKED` */
export const NO_PASSPHRASE: Passphrase = () => {
  throw new PromoterError('KEY_LOCKED', 'open an encrypted key: expected one that is not, no passphrase is asked for here');
};

/**
 * The PIN of a token: `file`, else the file that `SEALANE_PKCS11_PIN_FILE` names, else `SEALANE_PKCS11_PIN`.
 *
 * @throws PromoterError `KEY_LOCKED` none of them; as `readSecret`
 */
export function pinFrom({ env, cwd }: SecretPlace, file = env['SEALANE_PKCS11_PIN_FILE']): string {
  if (file !== undefined && file !== '') {
    const bytes = readSecret(path.resolve(cwd, file), 'PIN');
    const pin = Buffer.from(withoutLineEnd(bytes)).toString('utf8');
    bytes.fill(0);
    return pin;
  }
  const pin = env['SEALANE_PKCS11_PIN'];
  if (pin !== undefined && pin !== '') return pin;
  throw new PromoterError(
    'KEY_LOCKED',
    'log in to a token: expected its PIN in the file of pin-source or SEALANE_PKCS11_PIN_FILE, or in SEALANE_PKCS11_PIN, got none',
    {},
    { hint: 'write the PIN to a file of mode 0600 and name it with SEALANE_PKCS11_PIN_FILE' },
  );
}

/** Editors end a file with a line end; it is no part of a passphrase. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
