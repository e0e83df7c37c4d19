/**
 * Blobs of a lane's content, each checked against its digest. Small ones are kept from one question to the next, and the very same bytes are given again for as
 * long as their file is the one that was read: a lab's inventories are named by thousands of runs.
 */
import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { AuditorError, type Digest, digestHex, LIMITS, sha256 } from '@sealane/core';
import { withRegularFile } from './regular-file-shell.js';

interface KeptBlob {
  /** Which file it was, as the file system tells; whatever is written to it, or put in its place, is another. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What is kept, in bytes; what is parsed of it is held beside it. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
/** Of a larger one the file is read each time: inventories have some ten thousand bytes. */
const MAX_BLOB_BYTES = 64 * 1024;

/** By path: a service opens the lane anew for each question. */
const kept = new Map<string, KeptBlob>();
let keptBytes = 0;

/** A blob of `content/`; undefined when it is not there, or is not what its name says. @throws AuditorError `TRUST_TOO_LARGE` */
export function readContent(content: string, digest: Digest): Uint8Array | undefined {
  const name = path.join(content, 'blobs', 'sha256', digestHex(digest));
  const before = kept.get(name);
  if (before !== undefined && before.file === present(() => nameOf(statSync(name, { bigint: true })))) return before.bytes;
  forget(name);
  const read = present(() => readWhole(name));
  if (read === undefined || sha256(read.bytes) !== digest) return undefined;
  keep(name, read);
  return read.bytes;
}

function readWhole(name: string): KeptBlob | undefined {
  return withRegularFile(name, (file, stat) => {
    if (stat.size > LIMITS.evidenceBlobBytes)
      throw new AuditorError('TRUST_TOO_LARGE', `read ${name}: expected at most ${LIMITS.evidenceBlobBytes} bytes, got ${stat.size}`);
    return { file: nameOf(stat), bytes: new Uint8Array(readFileSync(file)) };
  });
}

function nameOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function keep(name: string, blob: KeptBlob): void {
  if (blob.bytes.length > MAX_BLOB_BYTES) return;
  if (keptBytes + blob.bytes.length > MAX_KEPT_BYTES) {
    kept.clear();
    keptBytes = 0;
  }
  kept.set(name, blob);
  keptBytes += blob.bytes.length;
}

function forget(name: string): void {
  keptBytes -= kept.get(name)?.bytes.length ?? 0;
  kept.delete(name);
}

/** What is read; undefined where nothing is there: absent is an answer. */
function present<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}
