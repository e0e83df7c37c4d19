/**
 * Files that another folder has already: they are given a second name, or copied, instead of being unpacked again.
 *
 * Every byte is compared or hashed, so nothing is believed of the other folder. From then on two names are one file: that is for folders into which nobody writes.
 */
import { closeSync, constants, fstatSync, linkSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { createDigester, type Digest, sha256 } from '@sealane/core';
import { createFile, type FileMeta, fileModeOf, removeEntry, writeFile } from './slot-disk.js';

/** What may be done with a file of the folder: one more name of it, or its bytes in a file of its own. */
export type TwinUse = 'link' | 'copy';

/** A folder with a version of what is laid down, and what is known of the folders in it. */
export interface TwinFolder {
  readonly dir: string;
  readonly use: TwinUse;
  /** Whether a path below it is that of a real folder. */
  readonly folders: Map<string, boolean>;
  /** What is read of a file, for as long as nothing else is read. */
  readonly buffer: Buffer;
}

/** A file that may be the same, open. */
interface Twin {
  readonly path: string;
  readonly file: number;
  readonly status: Stats;
}

/** Larger ones are written again: it is held in memory while it is compared. An image has few of them. */
const MAX_COMPARED_BYTES = 8 * 1024 * 1024;

/** A read this large hashes at full speed. */
const CHUNK_BYTES = 1024 * 1024;

/** Opens a folder to take files from; undefined where there is none. */
export function openTwins(dir: string, use: TwinUse): TwinFolder | undefined {
  return isFolder(dir) ? { dir, use, folders: new Map(), buffer: Buffer.allocUnsafe(CHUNK_BYTES) } : undefined;
}

/** As `createFile`; where files may be linked and the folder has the same one at the same path (bytes, mode, time, owner), that gets a second name. */
export async function createTwin(
  to: string,
  meta: FileMeta,
  content: AsyncIterable<Uint8Array>,
  twins: TwinFolder,
  at: readonly string[],
  sizeBytes: number,
): Promise<void> {
  const twin = twins.use === 'link' && sizeBytes <= MAX_COMPARED_BYTES ? openTwin(twins, at, sizeBytes) : undefined;
  const bytes = twin === undefined ? undefined : closing(twin, () => (isSameFile(twin, meta) ? readWhole(twin, sizeBytes) : undefined));
  if (twin === undefined || bytes === undefined) return createFile(to, meta, content);
  const chunks = content[Symbol.asyncIterator]();
  let same = 0;
  for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) {
    if (Buffer.compare(step.value, bytes.subarray(same, same + step.value.length)) !== 0)
      return createFile(to, meta, resumed(bytes.subarray(0, same), step.value, chunks));
    same += step.value.length;
  }
  if (!giveName(twin, to)) await createFile(to, meta, resumed(bytes, new Uint8Array(), chunks));
}

/** Gives the same file (bytes, mode, time, owner) at the same path of the folder a second name, where files may be linked; false where that cannot be, and nothing is left. */
export function linkTwin(to: string, meta: FileMeta, whole: Uint8Array, twins: TwinFolder, at: readonly string[]): boolean {
  const twin = twins.use === 'link' ? openTwin(twins, at, whole.length) : undefined;
  if (twin === undefined) return false;
  return closing(twin, () => {
    const isSame = isSameFile(twin, meta) && equals(whole, readWhole(twin, whole.length));
    return isSame && giveName(twin, to);
  });
}

const equals = (whole: Uint8Array, bytes: Uint8Array | undefined): boolean => bytes !== undefined && Buffer.compare(whole, bytes) === 0;

/** Lays down the file of this digest from the folder: linked where it may be and all else is the same too, else copied. False where the folder has it not, and nothing is left. */
export function takeTwin(
  to: string,
  meta: FileMeta,
  { digest, sizeBytes }: { readonly digest: Digest; readonly sizeBytes: number },
  twins: TwinFolder,
  at: readonly string[],
): boolean {
  const twin = openTwin(twins, at, sizeBytes);
  if (twin === undefined) return false;
  return closing(twin, () => {
    const mayLink = twins.use === 'link' && isSameFile(twin, meta);
    if (mayLink && digestOf(twin, sizeBytes, twins.buffer) !== digest) return false;
    if (mayLink && giveName(twin, to)) return true;
    return copyTwin(twin, to, meta, { digest, sizeBytes }, twins.buffer);
  });
}

/** What is hashed is what is written, whatever becomes of the file meanwhile. */
function copyTwin(
  twin: Twin,
  to: string,
  meta: FileMeta,
  { digest, sizeBytes }: { readonly digest: Digest; readonly sizeBytes: number },
  buffer: Buffer,
): boolean {
  if (sizeBytes <= buffer.length) {
    // in one step where it can be: most files are small
    const { value: bytes = new Uint8Array() } = chunksOf(twin, sizeBytes, buffer).next();
    if (sha256(bytes) !== digest) return false;
    writeFile(to, meta, [bytes]);
    return true;
  }
  const digester = createDigester();
  const chunks = function* (): Generator<Uint8Array> {
    for (const chunk of chunksOf(twin, sizeBytes, buffer)) {
      digester.update(chunk);
      yield chunk;
    }
  };
  writeFile(to, meta, chunks());
  if (digester.finish() === digest) return true;
  removeEntry(to);
  return false;
}

async function* resumed(before: Uint8Array, chunk: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield before;
  yield chunk;
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

/** What lies there, if it is a file of that size. No link is followed, whoever laid it there. */
function openTwin(twins: TwinFolder, at: readonly string[], sizeBytes: number): Twin | undefined {
  if (sizeBytes === 0 || !isBelowFolders(twins, at)) return undefined;
  const path = join(twins.dir, ...at);
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // gone, a link or a socket in its place, or not ours to read: it is unpacked
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES')) return undefined;
    throw error;
  }
  const status = fstatSync(file);
  if (status.isFile() && status.size === sizeBytes) return { path, file, status };
  closeSync(file);
  return undefined;
}

function isBelowFolders(twins: TwinFolder, at: readonly string[]): boolean {
  const parent = at.slice(0, -1);
  const path = parent.join('/');
  const known = twins.folders.get(path);
  if (known !== undefined) return known;
  const isReal = (parent.length === 0 || isBelowFolders(twins, parent)) && isFolder(join(twins.dir, path));
  twins.folders.set(path, isReal);
  return isReal;
}

const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function closing<T>({ file }: Twin, use: () => T): T {
  try {
    return use();
  } finally {
    closeSync(file);
  }
}

/** Whether all but its bytes is as it would be laid down. */
function isSameFile({ status: { mode, mtimeMs, uid } }: Twin, meta: FileMeta): boolean {
  const isOurs = uid === process.getuid?.() && (mode & 0o7777) === fileModeOf(meta);
  return isOurs && (meta.modifiedSeconds === null || mtimeMs === meta.modifiedSeconds * 1000);
}

function readWhole(twin: Twin, sizeBytes: number): Uint8Array | undefined {
  const { value: bytes } = chunksOf(twin, sizeBytes, Buffer.allocUnsafe(sizeBytes)).next();
  return bytes?.length === sizeBytes ? bytes : undefined;
}

function digestOf(twin: Twin, sizeBytes: number, buffer: Buffer): Digest {
  const chunks = chunksOf(twin, sizeBytes, buffer);
  // in one step where it can be: most files are small
  if (sizeBytes <= buffer.length) return sha256(chunks.next().value ?? new Uint8Array());
  const digester = createDigester();
  for (const chunk of chunks) digester.update(chunk);
  return digester.finish();
}

/** From its beginning, as many bytes as it should have, each chunk as full as may be; fewer where it shrank meanwhile. A chunk lasts until the next. */
function* chunksOf({ file }: Twin, sizeBytes: number, buffer: Buffer): Generator<Uint8Array, undefined> {
  for (let done = 0; done < sizeBytes;) {
    const wanted = Math.min(buffer.length, sizeBytes - done);
    let read = 0;
    for (let step = -1; step !== 0 && read < wanted; read += step) step = readSync(file, buffer, read, wanted - read, done + read);
    if (read > 0) yield buffer.subarray(0, read);
    if (read < wanted) return;
    done += read;
  }
}

/** False where it cannot have one more name, or is another file by now. */
function giveName({ path, status }: Twin, to: string): boolean {
  try {
    linkSync(path, to);
  } catch (error) {
    if (isErrno(error, 'EMLINK', 'ENOENT', 'EXDEV', 'EPERM')) return false;
    throw error;
  }
  if (lstatSync(to).ino === status.ino) return true;
  removeEntry(to);
  return false;
}

const isErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
