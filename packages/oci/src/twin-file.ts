/**
 * Files that another folder has already, byte for byte: they are given a second name instead of being written again.
 *
 * What is compared is every byte, so nothing is believed of the other folder. From then on both names are one file: this is for folders into which nobody writes.
 */
import { closeSync, constants, fstatSync, linkSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { OciError } from '@sealane/core';
import { nodeAt, type TreeFolder } from './file-tree.js';
import { createFile, type FileMeta, fileModeOf, readTree, removeEntry } from './slot-disk.js';

/** A folder whose files may be given a second name. */
export interface TwinFolder {
  readonly dir: string;
  readonly tree: TreeFolder;
}

/** A file that may be the same: it is held in memory while it is compared. */
interface Twin {
  readonly path: string;
  readonly inode: number;
  readonly bytes: Uint8Array;
}

/** Larger ones are written again: an image has few of them, and memory has an end. */
const MAX_TWIN_BYTES = 8 * 1024 * 1024;

/** Opens a folder; undefined where it holds what no release does, or is not there. */
export function openTwins(dir: string): TwinFolder | undefined {
  try {
    return lstatSync(dir).isDirectory() ? { dir, tree: readTree(dir) } : undefined;
  } catch (error) {
    // a workload left a socket in it, or another release has no such part: all is written
    if (error instanceof OciError || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** As `createFile`; where the folder has the same file at the same path (bytes, mode, time, owner), that one gets a second name. */
export async function createTwin(
  to: string,
  meta: FileMeta,
  content: AsyncIterable<Uint8Array>,
  twins: TwinFolder,
  at: readonly string[],
  sizeBytes: number,
): Promise<void> {
  const twin = twinOf(twins, at, meta, sizeBytes);
  if (twin === undefined) return createFile(to, meta, content);
  const chunks = content[Symbol.asyncIterator]();
  let same = 0;
  for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) {
    if (Buffer.compare(step.value, twin.bytes.subarray(same, same + step.value.length)) !== 0)
      return createFile(to, meta, resumed(twin.bytes.subarray(0, same), step.value, chunks));
    same += step.value.length;
  }
  if (!giveName(twin, to)) await createFile(to, meta, resumed(twin.bytes, new Uint8Array(), chunks));
}

async function* resumed(before: Uint8Array, chunk: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield before;
  yield chunk;
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

/** What lies there, if all but its bytes is right. Links on the way are none of the tree's folders. */
function twinOf({ dir, tree }: TwinFolder, at: readonly string[], meta: FileMeta, sizeBytes: number): Twin | undefined {
  if (sizeBytes === 0 || sizeBytes > MAX_TWIN_BYTES || nodeAt(tree, at)?.kind !== 'file') return undefined;
  const path = join(dir, ...at);
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { ino, size, mode, mtimeMs, uid } = fstatSync(file);
    const isOurs = uid === process.getuid?.() && (mode & 0o7777) === fileModeOf(meta);
    const isOfThatTime = meta.modifiedSeconds === null || mtimeMs === meta.modifiedSeconds * 1000;
    if (size !== sizeBytes || !isOurs || !isOfThatTime) return undefined;
    const bytes = Buffer.allocUnsafe(sizeBytes);
    let done = 0;
    for (let step = -1; step !== 0 && done < sizeBytes; done += step) step = readSync(file, bytes, done, sizeBytes - done, null);
    return done === sizeBytes ? { path, inode: ino, bytes } : undefined;
  } finally {
    closeSync(file);
  }
}

/** False where it cannot have one more name, or is another file by now. */
function giveName({ path, inode }: Twin, to: string): boolean {
  try {
    linkSync(path, to);
  } catch (error) {
    if (isErrno(error, 'EMLINK', 'ENOENT', 'EXDEV', 'EPERM')) return false;
    throw error;
  }
  if (lstatSync(to).ino === inode) return true;
  removeEntry(to);
  return false;
}

const isErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
