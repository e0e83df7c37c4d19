/** The one way this package writes files, and how it reads those that may be missing. */
import {
  closeSync,
  fsync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { diskRefusal, PromoterError } from '@sealane/core';
import { randomHex } from './clock.js';
import { reached } from './crash-point.js';

const flush = promisify(fsync);

/** Files that are open at once, of the 1,024 that a process has where nothing else is set. */
const OPEN_AT_ONCE = 128;

/** Of a file's own name in that of its temporary one: a name has 255 bytes. */
const MAX_NAME_PART = 50;

/** Mode of files that anybody may read, and of private keys. */
export const PUBLIC_FILE = 0o644;
export const PRIVATE_FILE = 0o600;

/**
 * Writes a file whole or not at all, also when the power goes: temporary file, fsync, rename, fsync of the folder. A private one is written to no file that
 * was there before: whoever put it there could read it.
 *
 * @throws CoreError, PromoterError `STATE_UNWRITABLE` the disk refused, or there is a device; nothing is left of what was begun
 */
export function durableWrite(file: string, bytes: Uint8Array | string, mode: number): void {
  const temporary = temporaryOf(file);
  if (mode === PRIVATE_FILE) rmSync(temporary, { recursive: true, force: true });
  writeBeside(file, bytes, { mode, temporary, flags: mode === PRIVATE_FILE ? 'wx' : 'w' });
}

/**
 * Writes what a command was asked for to the file that its caller named, whole or not at all. Its folder may be one in which others write too: the temporary
 * name is one that nobody can know, and what lies there already, a link above all, is never opened (O_EXCL follows none).
 *
 * @throws as `durableWrite`
 */
export function writeOutput(file: string, bytes: Uint8Array | string): void {
  const name = `.${path.basename(file).slice(0, MAX_NAME_PART)}.${randomHex()}.tmp`;
  writeBeside(file, bytes, { mode: PUBLIC_FILE, temporary: path.join(path.dirname(file), name), flags: 'wx' });
}

/**
 * As `durableWrite`, into a folder that somebody else had before: what lies under the name of the temporary file, a link above all, is removed and never opened.
 * Links in folders on the way are the caller's to refuse.
 *
 * @throws as `durableWrite`
 */
export function writeAnew(file: string, bytes: Uint8Array | string): void {
  const temporary = temporaryOf(file);
  rmSync(temporary, { recursive: true, force: true });
  writeBeside(file, bytes, { mode: PUBLIC_FILE, temporary, flags: 'wx' });
}

/** The temporary file, and how it is opened. */
interface Beside {
  readonly mode: number;
  readonly temporary: string;
  readonly flags: 'w' | 'wx';
}

function writeBeside(file: string, bytes: Uint8Array | string, beside: Beside): void {
  try {
    replace(file, bytes, beside);
  } catch (error) {
    rmSync(beside.temporary, { force: true });
    throw diskRefusal(error, `write ${file}`) ?? error;
  }
}

function replace(file: string, bytes: Uint8Array | string, { mode, temporary, flags }: Beside): void {
  expectReplaceable(file);
  const folder = path.dirname(file);
  mkdirSync(folder, { recursive: true, mode: mode === PRIVATE_FILE ? 0o700 : 0o755 });
  const handle = openSync(temporary, flags, mode);
  try {
    writeWhole(handle, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  syncFolder(folder);
}

/** A file takes the place of whatever has its name: of a device (`--out /dev/stdout`), for everybody on the host. */
function expectReplaceable(file: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined || there.isFile() || there.isDirectory()) return;
  const message = `write ${file}: expected a file or nothing there, got a device, pipe or socket`;
  throw new PromoterError('STATE_UNWRITABLE', message, { file }, { hint: 'name a file, and read it from there' });
}

function writeWhole(handle: number, data: Uint8Array): void {
  for (let written = 0; written < data.length;) written += writeSync(handle, data, written);
}

/** Writes a file whole or not at all, but after a power cut: for what is checked when it is read and can be done without. @throws as `durableWrite` */
export function looseWrite(file: string, text: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(temporaryOf(file), text);
    renameSync(temporaryOf(file), file);
  } catch (error) {
    throw diskRefusal(error, `write ${file}`) ?? error;
  }
}

/**
 * As `durableWrite` for several files at once: no file has its name before all are on stable storage; their flushes run beside one another and beside
 * whatever else this process does, and each folder is flushed once. A kill may leave some with the new content and some with the old.
 */
export async function durableWriteAll(files: ReadonlyMap<string, Uint8Array>, mode: number): Promise<void> {
  try {
    await replaceAll(files, mode);
  } catch (error) {
    for (const file of files.keys()) rmSync(temporaryOf(file), { force: true });
    throw diskRefusal(error, `write ${[...files.keys()][0] ?? 'nothing'}${files.size > 1 ? ` and ${files.size - 1} more` : ''}`) ?? error;
  }
}

async function replaceAll(files: ReadonlyMap<string, Uint8Array>, mode: number): Promise<void> {
  const folders = new Set([...files.keys()].map((file) => path.dirname(file)));
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: mode === PRIVATE_FILE ? 0o700 : 0o755 });
  const written = [...files];
  for (let at = 0; at < written.length; at += OPEN_AT_ONCE) await writeTemporaries(written.slice(at, at + OPEN_AT_ONCE), mode);
  for (const file of files.keys()) {
    renameSync(temporaryOf(file), file);
    reached('disk:renamed');
  }
  await Promise.all([...folders].map(flushFolder));
}

/** All are written before the first is flushed: a file system that is flushing lets nobody make a file. */
async function writeTemporaries(files: readonly (readonly [string, Uint8Array])[], mode: number): Promise<void> {
  const handles: number[] = [];
  try {
    for (const [file, bytes] of files) {
      const handle = openSync(temporaryOf(file), 'w', mode);
      handles.push(handle);
      writeWhole(handle, bytes);
    }
    // each is waited for, also when one has failed: none may be closed under a flush
    const flushed = await Promise.allSettled(handles.map((handle) => flush(handle)));
    for (const each of flushed) if (each.status === 'rejected') throw each.reason;
  } finally {
    for (const handle of handles) closeSync(handle);
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = openSync(folder, 'r');
  try {
    await flush(handle);
  } finally {
    closeSync(handle);
  }
}

function temporaryOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.tmp`);
}

/** Makes a folder that its owner only may enter; one that is there keeps its mode. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Removes a file durably; one that is not there is removed already. */
export function removeFile(file: string): void {
  rmSync(file, { force: true });
  syncFolder(path.dirname(file));
}

/** As `removeFile`, of many: each folder is flushed once. */
export function removeFiles(files: readonly string[]): void {
  for (const file of files) rmSync(file, { force: true });
  for (const folder of new Set(files.map((file) => path.dirname(file)))) syncFolder(folder);
}

/** Makes a folder's entries durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** The bytes of a file, or undefined when it is not there. */
export function readOptional(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    // absent is an answer; anything else (no right to read, an I/O error) is not
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Firmware images, the largest files that users name, stay well below. */
const MAX_NAMED_BYTES = 512 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * The bytes of a file that the user named; of a pipe or device too, as far as they end.
 *
 * @throws PromoterError `CONFIG_INVALID` not there or not readable; `FILE_TOO_LARGE`
 */
export function readNamed(file: string, what: string): Uint8Array {
  try {
    return readWhole(file, what);
  } catch (cause) {
    if (cause instanceof PromoterError) throw cause;
    throw unreadable(file, what, cause);
  }
}

/** A file that the user named and that cannot be read: what was found instead, and what to do about it. */
export function unreadable(file: string, what: string, cause: unknown): PromoterError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const [got, hint] = isNotFound(cause)
    ? ['nothing', 'check the path: nothing is there']
    : [code, 'check the path, and that you may read it: a file is expected there'];
  return new PromoterError('CONFIG_INVALID', `read ${what} ${file}: expected a file, got ${got}`, { file }, { cause, hint });
}

/** The size that a file says is no bound: a device says zero, and may never end. */
function readWhole(file: string, what: string): Uint8Array {
  const handle = openSync(file, 'r');
  try {
    const info = fstatSync(handle);
    expectLength(info.size, file, what);
    if (info.isFile()) return new Uint8Array(readFileSync(handle));
    const chunks: Buffer[] = [];
    for (let total = 0; ;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const count = readSync(handle, chunk);
      if (count === 0) return new Uint8Array(Buffer.concat(chunks));
      chunks.push(chunk.subarray(0, count));
      total += count;
      expectLength(total, file, what);
    }
  } finally {
    closeSync(handle);
  }
}

function expectLength(bytes: number, file: string, what: string): void {
  if (bytes <= MAX_NAMED_BYTES) return;
  throw new PromoterError('FILE_TOO_LARGE', `read ${what} ${file}: expected at most ${MAX_NAMED_BYTES} bytes, got ${bytes} or more`, {
    file,
  });
}

/** Names in a folder; none when it is not there. */
export function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // absent is an answer, as for a file
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Whether an error says that a file or folder is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
