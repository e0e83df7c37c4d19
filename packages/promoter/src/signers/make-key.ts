/** Makes keys under names: in a file, plain or encrypted, or kept in a token or by a helper that made it already. */
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import type { CommandCall, OptionSpec } from '@sealane/core/command-line';
import { optionalText } from '../promoter.js';
import { createKeyFile } from './key-file.js';
import type { KeyPlace } from './key-place.js';
import { signerAt } from './key-ref.js';
import { REFERENCE_SUFFIX, writeKeyReference } from './key-reference-file.js';
import { passphraseFrom } from './passphrase.js';

/** How a new key is kept. */
export const KEEPING: readonly OptionSpec[] = [
  { flags: '--encrypt', description: 'encrypt it, as cosign does, by the passphrase of SEALANE_PASSWORD_FILE or COSIGN_PASSWORD' },
  { flags: '--held-by <keyref>', description: 'it was made in a token (pkcs11:…) or by a key service (exec:…): keep the reference only' },
];

/** What the options say. @throws PromoterError `USAGE` both */
export function keepingOf(call: CommandCall): { readonly isEncrypted: boolean; readonly heldBy: string | undefined } {
  const [isEncrypted, heldBy] = [call.options['encrypt'] === true, optionalText(call, 'heldBy')];
  if (isEncrypted && heldBy !== undefined)
    throw new PromoterError('USAGE', 'read --encrypt: expected it without --held-by, a key kept elsewhere is not in this file');
  return { isEncrypted, heldBy };
}

/** The new key: its id, public half, and the file that was written. */
export interface MadeKey {
  readonly id: string;
  readonly spki: Uint8Array;
  readonly file: string;
}

/**
 * Makes the key whose file is `base` and a suffix.
 *
 * @throws PromoterError `KEY_EXISTS`; `KEY_LOCKED` no passphrase; as `signerAt`, where it is held elsewhere
 */
export async function makeKey(
  base: string,
  kind: 'p256' | 'ed25519',
  keeping: ReturnType<typeof keepingOf>,
  place: KeyPlace,
): Promise<MadeKey> {
  const file = `${base}.pem`;
  if (keeping.heldBy === undefined) {
    const passphrase = keeping.isEncrypted ? passphraseFrom(place, `encrypt a new key ${path.basename(base)}`) : undefined;
    return { file, ...createKeyFile(file, kind, passphrase) };
  }
  if (kind !== 'p256')
    throw new PromoterError('USAGE', 'read --held-by: expected a key of type p256, logs and witnesses keep theirs in files');
  const { keyId, spki } = await signerAt(keeping.heldBy, place);
  const reference = `${base}${REFERENCE_SUFFIX}`;
  writeKeyReference(reference, keeping.heldBy, { spki });
  return { id: keyId, spki, file: path.resolve(reference) };
}
