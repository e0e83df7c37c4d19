/**
 * Files that another folder has already: they are given a second name, or copied, instead of being unpacked again.
 *
 * Every byte is compared or hashed, so nothing is believed of the other folder. From then on two names are one file: that is for folders into which nobody writes.
 */
import { closeSync, constants, fstatSync, linkSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { createDigester, type Digest } from '@sealane/core';
import { createFile, type FileMeta, fileModeOf, removeEntry, writeFile } from './slot-disk.js';

/** What may be done with a file of the folder: one more name of it, or its bytes in a file of its own. */
export type TwinUse = 'link' | 'copy';

/** A folder with a version of what is laid down, and what is known of the folders in it. */
export interface TwinFolder {
  readonly dir: string;
  readonly use: TwinUse;
  readonly folders: Map<string, boolean>;
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
  return isFolder(dir) ? { dir, use, folders: new Map() } : undefined;
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
    if (mayLink && digestOf(twin, sizeBytes) !== digest) return false;
    if (mayLink && giveName(twin, to)) return true;
    const digester = createDigester();
    writeFile(to, meta, hashing(chunksOf(twin, sizeBytes), digester));
    if (digester.finish() === digest) return true;
    removeEntry(to);
    return false;
  });
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

function isBelowFolders({ dir, folders }: TwinFolder, at: readonly string[]): boolean {
  for (let depth = 0; depth < at.length; depth += 1) {
    const path = join(dir, ...at.slice(0, depth));
    const isReal = folders.get(path) ?? isFolder(path);
    folders.set(path, isReal);
    if (!isReal) return false;
  }
  return true;
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
  const bytes = Buffer.concat([...chunksOf(twin, sizeBytes)]);
  return bytes.length === sizeBytes ? bytes : undefined;
}

function digestOf(twin: Twin, sizeBytes: number): Digest {
  const digester = createDigester();
  for (const chunk of chunksOf(twin, sizeBytes)) digester.update(chunk);
  return digester.finish();
}

function* hashing(chunks: Iterable<Uint8Array>, digester: ReturnType<typeof createDigester>): Generator<Uint8Array> {
  for (const chunk of chunks) {
    digester.update(chunk);
    yield chunk;
  }
}

/** From its beginning, as many bytes as it should have; fewer where it shrank meanwhile. */
function* chunksOf({ file }: Twin, sizeBytes: number): Generator<Uint8Array> {
  for (let done = 0; done < sizeBytes;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - done));
    const count = readSync(file, chunk, 0, chunk.length, done);
    if (count === 0) return;
    done += count;
    yield chunk.subarray(0, count);
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
