/** The one way in which this package writes what must survive power loss: temporary file, fsync, rename, fsync of the folder. */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { reached } from './points.js';
import { syncPath } from './sync-tree.js';

/** Attempts to find a free temporary name: each one taken is a writer at work or one that died. */
const MAX_TEMPORARY_NAMES = 1000;

/** A file being written beside its place. */
export interface DurableFile {
  /** Throws Node's error when the disk refuses, with the folder as its `path`. */
  write(chunk: Uint8Array): Promise<void>;
  /** Flushes and moves the file to its place, replacing what is there. Durable when it returns. */
  commit(path: string): Promise<void>;
  /** Removes the file; does nothing after `commit`. */
  discard(): Promise<void>;
}

/** Starts a file in `folder`, where `commit` must stay. `point` names its durable steps: `oci:POINT-flushed`, `oci:POINT-renamed`. */
export async function startDurableFile(folder: string, point: string, mode = 0o644): Promise<DurableFile> {
  const { file, temporary } = await openTemporary(folder, point);
  let state: 'open' | 'closed' | 'moved' = 'open';
  const close = async (): Promise<void> => {
    if (state !== 'open') return;
    state = 'closed';
    await file.close();
  };
  return {
    write: (chunk) => writeAll(file, chunk, folder),
    commit: async (path) => {
      await file.chmod(mode);
      await file.sync();
      await close();
      reached(`${point}-flushed`);
      await rename(temporary, path);
      state = 'moved';
      reached(`${point}-renamed`);
      await syncPath(dirname(path));
    },
    discard: async () => {
      if (state === 'moved') return;
      await close();
      await unlink(temporary);
    },
  };
}

/** Writes a whole file durably, replacing what is there. On failure the old file stands. */
export async function durableWrite(path: string, bytes: Uint8Array, point: string): Promise<void> {
  const file = await startDurableFile(dirname(path), point);
  try {
    await file.write(bytes);
    await file.commit(path);
  } finally {
    await file.discard();
  }
}

async function openTemporary(folder: string, point: string): Promise<{ file: FileHandle; temporary: string }> {
  for (let attempt = 0; ; attempt += 1) {
    const temporary = join(folder, `.${point}-${process.pid}-${attempt}.tmp`);
    try {
      return { file: await open(temporary, 'wx', 0o600), temporary };
    } catch (error) {
      // Another write of this process is in flight, or a dead one with our process id left its file: take the next name.
      if (!isTaken(error) || attempt >= MAX_TEMPORARY_NAMES) throw error;
    }
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, folder: string): Promise<void> {
  try {
    // one write may take less than it is given
    for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done)).bytesWritten;
  } catch (error) {
    // a full disk's error names no file by itself
    throw error instanceof Error ? Object.assign(error, { path: folder }) : error;
  }
}

const isTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
