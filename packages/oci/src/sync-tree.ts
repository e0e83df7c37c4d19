/** Flushes a whole tree to the disk, so that a slot which was switched to survives power loss. */
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Flushes in flight: Node has four threads for them; a journal commits several together. */
const PARALLEL_FLUSHES = 8;

/**
 * Flushes every file and folder below `dir`, `dir` itself and the folder that names it. Links live in their folder.
 * One pass at the end costs less than a flush a file as it is written: the journal has mostly committed by then.
 */
export async function syncTree(dir: string): Promise<void> {
  const { files, folders } = await listTree(dir);
  await inParallel(files, syncPath);
  // Folders after files: an entry never becomes durable before its content.
  await inParallel(folders, syncPath);
  await syncPath(dirname(dir));
}

/** Flushes one file or folder; a link is not followed. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listTree(dir: string): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = [];
  const folders = [dir];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) folders.push(join(folder, entry.name));
      else if (entry.isFile()) files.push(join(folder, entry.name));
    }
  }
  return { files, folders };
}

async function inParallel(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  const queue = paths.values();
  const worker = async (): Promise<void> => {
    for (const path of queue) await work(path);
  };
  await Promise.all(Array.from({ length: PARALLEL_FLUSHES }, worker));
}
