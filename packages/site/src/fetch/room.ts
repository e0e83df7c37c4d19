/** The bound of the mirror: what is wanted is known, and fits, before any bulk is fetched. */
import { digestHex, SiteError } from '@sealane/core';
import type { Mirror, WantedBlob } from './mirror.js';

const FOLDERS = ['content/blobs/sha256', 'partial'] as const;

/**
 * Makes room for blobs that are to come or here. While all fits nothing goes; else all goes that `isWanted`, by hex digest, does not name.
 *
 * @throws SiteError `DISK_SHORT` what is wanted is more than `maxBytes` by itself; nothing is removed then
 */
export function makeRoom(mirror: Mirror, blobs: readonly WantedBlob[], isWanted: (hex: string) => boolean, maxBytes: number): void {
  const coming = new Set(blobs.map(({ digest }) => digestHex(digest)));
  const others = FOLDERS.flatMap((folder) => mirror.list(folder).map((hex) => ({ hex, file: `${folder}/${hex}` }))).filter(
    ({ hex }) => !coming.has(hex),
  );
  const bytesOf = (files: typeof others): number => files.reduce((sum, { file }) => sum + mirror.sizeBytes(file), 0);
  // waybills and manifests, which came to learn what is wanted
  const needed = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + bytesOf(others.filter(({ hex }) => isWanted(hex)));
  if (needed > maxBytes)
    throw new SiteError(
      'DISK_SHORT',
      `mirror what the channel names for this site: expected at most mirrorBytes of site.yaml, ${maxBytes} bytes, got ${needed}`,
      { neededBytes: needed, maxBytes },
    );
  const unwanted = others.filter(({ hex }) => !isWanted(hex));
  if (needed + bytesOf(unwanted) > maxBytes) for (const { file } of unwanted) mirror.remove(file);
}
