/** Whether all content of a release lies here: asked before it is journalled, where a sync has not brought all. By name and size; hashed when it is laid down. */
import path from 'node:path';
import { type Digest, digestHex, SealaneError } from '@sealane/core';
import { walkRelease } from '@sealane/oci';
import { blobPath } from '../fetch/mirror.js';
import type { Site } from '../site.js';
import { slotFolder } from '../state-folder.js';
import type { LaneFolders } from './lane-view.js';

/** Whether a part of it is neither in the mirror nor in the store. What is malformed is not missing: laying it down names it. */
export function lacksContent({ world, folder }: Site, lane: LaneFolders, release: Digest | null): boolean {
  if (release === null || world.disk.kind(slotFolder(folder, release)) === 'folder') return false;
  const isStored = (digest: Digest): boolean => world.disk.kind(path.join(folder.store, 'blobs', 'sha256', digestHex(digest))) === 'file';
  try {
    const { blobs } = walkRelease((digest, maxBytes) => lane.read(blobPath(digest), maxBytes), release);
    return blobs.some(({ digest }) => lane.locate(blobPath(digest)) === undefined && !isStored(digest));
  } catch (error) {
    if (error instanceof SealaneError) return error.code === 'CONTENT_MISSING';
    throw error;
  }
}
