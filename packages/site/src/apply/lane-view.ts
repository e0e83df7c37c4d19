/** The lane as `apply` sees it: the mirror, with what an upstream offered last and `fetch` found wrong laid over it. Bytes, not verdicts. */
import path from 'node:path';
import { SiteError, TrustError } from '@sealane/core';
import type { Disk } from '../disk.js';

/** Reads lane files by their path in the lane. */
export interface LaneFolders {
  /** @throws TrustError `TRUST_TOO_LARGE` longer than `maxBytes` */
  read(file: string, maxBytes: number): Uint8Array | undefined;
  /** The file on disk that `read` would open, to be streamed. */
  locate(file: string): string | undefined;
}

/** Looks into each folder in turn; a link or pipe in an untrusted folder counts as nothing there. */
export function laneFolders(disk: Disk, folders: readonly string[]): LaneFolders {
  const locate = (file: string): string | undefined =>
    folders.map((folder) => path.join(folder, file)).find((place) => disk.kind(place) === 'file');
  return {
    locate,
    read: (file, maxBytes) => {
      const place = locate(file);
      return place === undefined ? undefined : readBounded(disk, place, file, maxBytes);
    },
  };
}

function readBounded(disk: Disk, place: string, file: string, maxBytes: number): Uint8Array | undefined {
  try {
    return disk.read(place, maxBytes);
  } catch (error) {
    if (!(error instanceof SiteError)) throw error;
    if (error.code === 'FILE_TOO_LARGE')
      throw new TrustError(
        'TRUST_TOO_LARGE',
        `read ${file}: expected at most ${maxBytes} bytes, got more`,
        { path: file, maxBytes },
        { cause: error },
      );
    // it became a link between two looks: whoever did that offers nothing
    if (error.code === 'CONTENT_UNSAFE') return undefined;
    throw error;
  }
}
