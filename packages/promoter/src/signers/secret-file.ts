/** Files that hold secrets: read only when nobody but their owner can. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { PromoterError, shellWord } from '@sealane/core';
import { unreadable } from '../disk-shell.js';

/** A secret's bytes, and whether others than the owner can read or write the file. */
interface SecretFile {
  readonly bytes: Uint8Array;
  readonly isExposed: boolean;
}

/** Bits by which others than the owner could read or write. */
const OTHERS = 0o077;
/** A key, passphrase or PIN is a few hundred bytes; anything larger is another file. */
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * Reads a secret and says who else can: mode and bytes are those of one open file, so none can be swapped for another between.
 *
 * @throws PromoterError `CONFIG_INVALID` not there or not readable; `FILE_TOO_LARGE`
 */
export function openSecret(file: string, what: string): SecretFile {
  const handle = opened(file, what);
  try {
    const { mode, size } = fstatSync(handle);
    if (size > MAX_SECRET_BYTES)
      throw new PromoterError('FILE_TOO_LARGE', `read ${what} ${file}: expected at most ${MAX_SECRET_BYTES} bytes, got ${size}`, { file });
    return { bytes: new Uint8Array(readFileSync(handle)), isExposed: (mode & OTHERS) !== 0 };
  } finally {
    closeSync(handle);
  }
}

/** As `openSecret`, for a secret that nobody else may read. @throws PromoterError as that; `KEY_EXPOSED` */
export function readSecret(file: string, what: string): Uint8Array {
  const { bytes, isExposed } = openSecret(file, what);
  if (isExposed) {
    bytes.fill(0);
    throw exposed(file, what);
  }
  return bytes;
}

/** The refusal of a secret that others can read. */
export function exposed(file: string, what: string): PromoterError {
  return new PromoterError(
    'KEY_EXPOSED',
    `read ${what} ${file}: expected mode 0600, others can read or write it`,
    { file },
    { hint: `run: chmod 600 ${shellWord(file)}` },
  );
}

function opened(file: string, what: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw unreadable(file, what, cause);
  }
}
