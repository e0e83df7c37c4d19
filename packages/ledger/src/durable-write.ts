/** The one way this package replaces a file: whole or not at all, also when the power goes. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Writes `bytes` to `file` through a temporary file beside it: fsync, rename, fsync of the folder. */
export function durableWrite(file: string, bytes: Uint8Array, mode: number): void {
  const folder = path.dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp`;
  const handle = openSync(temporary, 'w', mode);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
