/** A lane in a folder: a share, a copy by rsync, a medium. Regular files only; links, devices and pipes are named and never opened. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { concatBytes, SiteError } from '@sealane/core';
import { type Disk, isNodeError } from '../disk.js';
import type { LinkMeter } from './link-meter.js';
import type { Upstream } from './upstream.js';

/** Bytes read at once from a file. */
const PIECE_BYTES = 256 * 1024;

/**
 * Opens a folder upstream.
 *
 * @throws SiteError `FETCH_FAILED` the folder is not there, or cannot be looked at
 */
export function folderUpstream(folder: string, meter: LinkMeter, disk: Disk): Upstream {
  if (orUnread(folder, () => disk.kind(folder)) === 'nothing')
    throw new SiteError('FETCH_FAILED', `read ${folder}: expected a folder with a lane, got nothing`, { upstream: folder });
  let requests = 0;
  let bytes = 0;
  const count = (read: number): void => {
    bytes += read;
  };
  const locate = (file: string): string => {
    requests += 1;
    meter.asked();
    refuseLinks(disk, folder, file);
    return path.join(folder, file);
  };
  return {
    name: folder,
    get: async (file, maxBytes) => {
      const handle = await openRegular(locate(file));
      if (handle === undefined) return undefined;
      const pieces: Uint8Array[] = [];
      for await (const piece of readPieces(file, handle, 0, maxBytes + 1, count)) pieces.push(piece);
      return concatBytes(...pieces);
    },
    open: async (file, offset, end) => {
      const handle = await openRegular(locate(file));
      if (handle === undefined) return undefined;
      return { from: offset, isRange: true, pieces: readPieces(file, handle, offset, end, count) };
    },
    cost: () => ({ requests, bytes }),
    close: () => Promise.resolve(),
  };
}

/** A folder on the way that is a link could lead anywhere on this host. */
function refuseLinks(disk: Disk, folder: string, file: string): void {
  let at = folder;
  for (const word of path.dirname(file).split('/')) {
    at = path.join(at, word);
    const kind = orUnread(at, () => disk.kind(at));
    if (kind === 'link' || kind === 'other') throw unsafe(at);
  }
}

async function openRegular(file: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isNodeError(error, 'ELOOP', 'EMLINK', 'ENXIO')) throw unsafe(file);
    throw unread(file, error);
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw unsafe(file);
}

/** A stick that was pulled, a share whose server is gone: nobody can say in which words a kernel tells it. */
function unread(file: string, cause: unknown): Error {
  if (!(cause instanceof Error)) throw cause;
  return new SiteError('FETCH_FAILED', `read ${file}: ${cause.message}`, { path: file }, { cause });
}

function orUnread<T>(file: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw unread(file, error);
  }
}

async function* readPieces(
  file: string,
  handle: FileHandle,
  offset: number,
  maxBytes: number,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    for (let position = offset; position < maxBytes;) {
      const length = Math.min(piece.length, maxBytes - position);
      const { bytesRead } = await handle.read(piece, 0, length, position).catch((error: unknown) => {
        throw unread(file, error);
      });
      if (bytesRead === 0) return;
      position += bytesRead;
      count(bytesRead);
      yield piece.slice(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function unsafe(file: string): SiteError {
  return new SiteError('CONTENT_UNSAFE', `read ${file}: expected regular files in regular folders, got a link, pipe or device`, {
    path: file,
  });
}
