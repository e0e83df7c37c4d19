/**
 * The disk as the site uses it: few, small, synchronous operations, so that a test can stand in for it and lose what was not synced.
 *
 * Bytes that must survive are written by `durable-write.ts` and the journal only. Blobs and unpacked trees go through `oci`.
 */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SiteError } from '@sealane/core';

/** What lies at a path, links not followed. */
export type PathKind = 'file' | 'folder' | 'link' | 'other' | 'nothing';

/** A disk. Operations throw Node's errors (`code`: ENOSPC, EROFS …) unless they say otherwise. */
export interface Disk {
  /**
   * The bytes of a regular file, or undefined when there is none. A link, device or pipe is never opened.
   *
   * @throws SiteError `FILE_TOO_LARGE` over `maxBytes`; `CONTENT_UNSAFE` not a regular file
   */
  read(path: string, maxBytes: number): Uint8Array | undefined;
  /** The last `maxBytes` of a regular file, all of a shorter one, however long it is; otherwise as `read`. */
  readEnd(path: string, maxBytes: number): Uint8Array | undefined;
  /** Makes or replaces a file and syncs its bytes, not its name. `mode` is that of a new file. A link that lies there is not followed. */
  writeSynced(path: string, bytes: Uint8Array, mode: number): void;
  /** Makes a file where nothing lies, not even a link, and syncs its bytes, not its name; what could not be written whole is removed. */
  createSynced(path: string, bytes: Uint8Array, mode: number): void;
  /** Adds to the end of a file, made when missing, and syncs. */
  appendSynced(path: string, bytes: Uint8Array): void;
  /** Cuts a file to `sizeBytes` and syncs. */
  truncateSynced(path: string, sizeBytes: number): void;
  rename(from: string, to: string): void;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): void;
  symlink(target: string, path: string): void;
  /** Where a link points, or undefined when there is none. */
  readLink(path: string): string | undefined;
  /** Removes a file, link or whole folder; nothing there is fine. */
  remove(path: string): void;
  /** Names in a folder, sorted; none when there is no folder. */
  list(path: string): readonly string[];
  /** Makes a folder, and those above it that are missing, durably: what is synced inside later is lost with a name that was not. */
  makeFolder(path: string, mode: number): void;
  kind(path: string): PathKind;
  /** What lies there, links followed: `nothing` too where one leads nowhere or to itself. */
  kindBehind(path: string): PathKind;
  sizeBytes(path: string): number;
  /** Permission bits of a file, as chmod(1) says them. */
  mode(path: string): number;
  /** Bytes that an unprivileged writer may still use on the file system of `path`. */
  freeBytes(path: string): number;
  /** Whether this process may make files in a folder; in one that is not there, whether it may make that. */
  mayWriteIn(path: string): boolean;
}

/** Never through a link: a folder of somebody else's may get one in the place of a file that is about to be written. */
const REPLACING = constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY | constants.O_NOFOLLOW;

/** The real disk. */
export const nodeDisk: Disk = {
  read: (path, maxBytes) =>
    withRegular(path, (file, sizeBytes) => {
      if (sizeBytes <= maxBytes) return readFrom(file, 0, sizeBytes);
      throw new SiteError('FILE_TOO_LARGE', `read ${path}: expected at most ${maxBytes} bytes, got ${sizeBytes}`, { path, maxBytes });
    }),
  readEnd: (path, maxBytes) => {
    const from = (sizeBytes: number): number => Math.max(0, sizeBytes - maxBytes);
    return withRegular(path, (file, sizeBytes) => readFrom(file, from(sizeBytes), sizeBytes));
  },
  writeSynced: (path, bytes, mode) => withFile(path, REPLACING, mode, (file) => writeAll(file, bytes)),
  createSynced: createWhole,
  appendSynced: (path, bytes) =>
    withFile(path, constants.O_CREAT | constants.O_APPEND | constants.O_WRONLY, 0o600, (file) => writeAll(file, bytes)),
  truncateSynced: (path, sizeBytes) => withFile(path, constants.O_WRONLY, 0o600, (file) => ftruncateSync(file, sizeBytes)),
  rename: renameSync,
  syncFolder: (path) => withFile(path, constants.O_RDONLY, 0, () => undefined),
  symlink: (target, path) => symlinkSync(target, path),
  readLink: (path) => orUndefined(['ENOENT', 'EINVAL'], () => readlinkSync(path)),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  list: (path) => (orUndefined(['ENOENT'], () => readdirSync(path)) ?? []).sort(),
  makeFolder: makeDurableFolder,
  kind: kindOf,
  kindBehind: (path) => kindOf(path, statSync),
  sizeBytes: (path) => lstatSync(path).size,
  mode: (path) => lstatSync(path).mode & 0o7777,
  freeBytes: (path) => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
  mayWriteIn,
};

/** Whether an error is Node's, with one of these codes. */
export function isNodeError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Whether the kernel said no: which of its many words it has for a stick that was pulled, or a disk that is ill, is its own affair. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Whether an error of the disk means that it is full. */
export function isDiskFull(error: unknown): error is NodeJS.ErrnoException {
  return isNodeError(error, 'ENOSPC', 'EDQUOT');
}

function withRegular(path: string, use: (file: number, sizeBytes: number) => Uint8Array): Uint8Array | undefined {
  // O_NOFOLLOW and O_NONBLOCK: whoever fills the mirror can neither point elsewhere nor hang the reader on a pipe
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: number;
  try {
    file = openSync(path, flags);
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isNodeError(error, 'ELOOP', 'EMLINK', 'ENXIO')) throw unsafe(path, error);
    throw error;
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw unsafe(path);
    return use(file, status.size);
  } finally {
    closeSync(file);
  }
}

/** Reads what the size said; a file that shrank meanwhile gives fewer bytes, one that grew no more. */
function readFrom(file: number, from: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes - from);
  let offset = 0;
  while (offset < bytes.length) {
    const count = readSync(file, bytes, offset, bytes.length - offset, from + offset);
    if (count === 0) return bytes.subarray(0, offset);
    offset += count;
  }
  return bytes;
}

function writeAll(file: number, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) offset += writeSync(file, bytes, offset, bytes.length - offset);
}

function withFile(path: string, flags: number, mode: number, use: (file: number) => void): void {
  const file = openSync(path, flags, mode);
  try {
    use(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function createWhole(path: string, bytes: Uint8Array, mode: number): void {
  const file = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, mode);
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function makeDurableFolder(path: string, mode: number): void {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= first.length; made = dirname(made)) nodeDisk.syncFolder(dirname(made));
}

function kindOf(path: string, look: (path: string) => Stats = lstatSync): PathKind {
  const status = orUndefined(['ENOENT', 'ENOTDIR', 'ELOOP'], () => look(path));
  if (status === undefined) return 'nothing';
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'folder';
  return status.isSymbolicLink() ? 'link' : 'other';
}

function mayWriteIn(path: string): boolean {
  let folder = resolve(path);
  while (kindOf(folder) === 'nothing' && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    // the answer; every other failure is the caller's
    if (isNodeError(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw error;
  }
}

function orUndefined<T>(codes: readonly string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // nothing there is an answer, every other failure is the caller's
    if (isNodeError(error, ...codes)) return undefined;
    throw error;
  }
}

function unsafe(path: string, cause?: Error): SiteError {
  return new SiteError('CONTENT_UNSAFE', `read ${path}: expected a regular file, got a link, pipe, folder or device`, { path }, { cause });
}
