/** Files of a layout that others may have written: opened only if they are plain files, read only up to a bound. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, OciError, sha256 } from '@sealane/core';
import { digestError, lengthError } from './verified-stream.js';

/** A link could lead anywhere, and opening a fifo would block for ever. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 256 * 1024;

/**
 * Yields the bytes of a plain file, not verified.
 *
 * @throws OciError `CONTENT_MISSING` nothing there, or no plain file
 */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await openPlain(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Reads between two turns of the event loop: some milliseconds of them. */
const READS_PER_TURN = 32;

/**
 * As `readFileChunks`, all in one buffer: a chunk is valid until the next one is asked for. What is read, hashed and written on the spot needs no other, and a
 * blob leaves no garbage as large as itself.
 *
 * @throws OciError `CONTENT_MISSING` nothing there, or no plain file
 */
export async function* readFileInPlace(path: string): AsyncGenerator<Uint8Array> {
  const file = openPlainSync(path);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let reads = 1; ; reads += 1) {
      const count = readSync(file, buffer, 0, CHUNK_BYTES, null);
      if (count === 0) return;
      yield buffer.subarray(0, count);
      if (reads % READS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a small file whole, not verified.
 *
 * @throws OciError `CONTENT_MISSING`, `CONTENT_LENGTH` more than `maxBytes`
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await openPlain(path);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw lengthError(path, `at most ${maxBytes}`, `${size}`);
    // One byte more than it may be: a file that grows meanwhile is seen.
    const buffer = Buffer.alloc(maxBytes < size + 1 ? maxBytes + 1 : size + 1);
    let done = 0;
    for (let step = -1; step !== 0 && done < buffer.length; done += step)
      step = (await file.read(buffer, done, buffer.length - done)).bytesRead;
    if (done > size) throw lengthError(path, `${size}`, `at least ${done}`);
    return new Uint8Array(buffer.subarray(0, done));
  } finally {
    await file.close();
  }
}

/**
 * Reads `length` bytes of a plain file from `from` on, not verified.
 *
 * @throws OciError `CONTENT_MISSING`, `CONTENT_LENGTH` it ends before
 */
export async function readFileRange(path: string, from: number, length: number): Promise<Uint8Array> {
  const file = await openPlain(path);
  try {
    const buffer = Buffer.alloc(length);
    let done = 0;
    for (let step = -1; step !== 0 && done < length; done += step)
      step = (await file.read(buffer, done, length - done, from + done)).bytesRead;
    if (done < length) throw lengthError(path, `${from + length}`, `${from + done}`);
    return new Uint8Array(buffer);
  } finally {
    await file.close();
  }
}

/**
 * Reads a blob at once and checks it, for pure callers that cannot wait.
 *
 * @throws OciError `CONTENT_MISSING`, `CONTENT_LENGTH` more than `maxBytes`, `CONTENT_DIGEST`
 */
export function readVerifiedSync(path: string, digest: Digest, maxBytes: number): Uint8Array {
  const file = openPlainSync(path);
  try {
    const { size } = fstatSync(file);
    if (size > maxBytes) throw lengthError(path, `at most ${maxBytes}`, `${size}`);
    const buffer = Buffer.alloc(size);
    let done = 0;
    for (let step = -1; step !== 0 && done < size; done += step) step = readSync(file, buffer, done, size - done, null);
    const bytes = new Uint8Array(buffer.subarray(0, done));
    checkDigest(path, bytes, digest);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** @throws OciError `CONTENT_DIGEST` */
export function checkDigest(name: string, bytes: Uint8Array, digest: Digest): void {
  const got = sha256(bytes);
  if (got !== digest) throw digestError(name, digest, got);
}

async function openPlain(path: string): Promise<FileHandle> {
  const file = await open(path, FLAGS).catch((cause: unknown) => {
    throw missing(path, cause);
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw missing(path);
}

function openPlainSync(path: string): number {
  const file = attempt(() => openSync(path, FLAGS), path);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw missing(path);
}

function attempt<T>(open: () => T, path: string): T {
  try {
    return open();
  } catch (cause) {
    throw missing(path, cause);
  }
}

/** No file, a folder on the way that is none, a link (`ELOOP`), a socket (`ENXIO`) are all "not there"; other faults stay what they are. */
function missing(path: string, cause?: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : 'ENOENT';
  if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(String(code))) return cause;
  return new OciError('CONTENT_MISSING', `open ${path}: expected a plain file, got none`, { path }, { cause });
}
