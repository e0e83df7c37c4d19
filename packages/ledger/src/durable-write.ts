/** The one way this package writes a file that must survive a power cut. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { LedgerError } from '@sealane/core';

/** What a durable write needs to be told. */
export interface DurableWrite {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permissions of the new file. */
  readonly mode: number;
}

/**
 * Replaces a file's content: after it returns the new content is on stable storage, whenever it fails or dies the old one is there whole.
 *
 * Temporary file in the same folder, fsync, rename, fsync of the folder. One writer a path at a time: the callers hold a lock.
 *
 * @throws LedgerError `LEDGER_WRITE_FAILED` the disk refused; when only the last flush did, the new content may be there already
 */
export function writeDurably(write: DurableWrite): void {
  try {
    replace(write);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LedgerError('LEDGER_WRITE_FAILED', `write ${write.path}: ${why}`, { path: write.path }, { cause });
  }
}

function replace({ path: target, bytes, mode }: DurableWrite): void {
  const temporary = `${target}.new`;
  // a leftover of a killed writer may have other permissions
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', mode);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, target);
  const folder = openSync(path.dirname(target), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
