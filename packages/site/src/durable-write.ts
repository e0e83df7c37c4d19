/** The one way a whole file of the site's state is replaced: after a power cut it is the old bytes or the new, never a mixture. */
import path from 'node:path';
import type { Disk } from './disk.js';

/**
 * Writes a file that must survive power loss: temporary file in the same folder, fsync, rename, fsync of the folder.
 *
 * On failure the old file stays; the temporary one is replaced by the next write.
 */
export function durableWrite(disk: Disk, file: string, bytes: Uint8Array, mode = 0o600): void {
  const temporary = `${file}.tmp`;
  // a leftover of a crash could have another mode
  disk.remove(temporary);
  disk.writeSynced(temporary, bytes, mode);
  disk.rename(temporary, file);
  disk.syncFolder(path.dirname(file));
}

/** Points a link at `target` in one step, durably: the new link is made beside it and renamed over it. */
export function durableLink(disk: Disk, target: string, link: string): void {
  const temporary = `${link}.tmp`;
  disk.remove(temporary);
  disk.symlink(target, temporary);
  disk.rename(temporary, link);
  disk.syncFolder(path.dirname(link));
}
