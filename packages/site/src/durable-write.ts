/** The one way a whole file of the site's state is replaced, or a whole slot removed: after a power cut it is the old or the new, never a mixture. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { Disk } from './disk.js';

/** Of a file's own name in that of its temporary one: a name has 255 bytes. */
const MAX_NAME_PART = 50;

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

/**
 * Writes what a command was asked for to the file that its caller named. Anybody may read it.
 *
 * @throws SiteError `CONFIG_INVALID` there is no folder for it: one that is not there may be a medium that is not mounted; or something else than a file is there
 */
export function writeOutput(disk: Disk, file: string, bytes: Uint8Array): void {
  const folder = path.dirname(file);
  if (disk.kind(folder) === 'nothing') {
    const hint = 'make the folder, or name another file with --out';
    throw new SiteError('CONFIG_INVALID', `write ${file}: expected the folder ${folder}, got none`, { file }, { hint });
  }
  // a file takes the place of whatever has its name: of a device (`--out /dev/stdout`), for everybody on the host
  const there = { folder: 'a folder', other: 'a device, pipe or socket', file: undefined, link: undefined, nothing: undefined }[
    disk.kindBehind(file)
  ];
  if (there !== undefined) {
    const hint = 'name a file: --out FILE';
    throw new SiteError('CONFIG_INVALID', `write ${file}: expected a file or nothing there, got ${there}`, { file }, { hint });
  }
  // others may write in that folder too: a name that nobody can know, and what lies there already is never opened
  const temporary = path.join(folder, `.${path.basename(file).slice(0, MAX_NAME_PART)}.${randomBytes(16).toString('hex')}.tmp`);
  disk.createSynced(temporary, bytes, 0o644);
  try {
    disk.rename(temporary, file);
  } catch (error) {
    disk.remove(temporary);
    throw error;
  }
  disk.syncFolder(folder);
}

/**
 * Removes a folder that is taken for whole wherever its name is: it loses its name first, in one step, durably. What a kill leaves is `NAME.tmp`, which
 * whoever fills or empties the folder above removes.
 */
export function removeWhole(disk: Disk, folder: string): void {
  const aside = folder.endsWith('.tmp') ? folder : `${folder}.tmp`;
  if (aside !== folder) {
    disk.remove(aside);
    disk.rename(folder, aside);
    disk.syncFolder(path.dirname(folder));
  }
  disk.remove(aside);
}

/** Points a link at `target` in one step, durably: the new link is made beside it and renamed over it. */
export function durableLink(disk: Disk, target: string, link: string): void {
  const temporary = `${link}.tmp`;
  disk.remove(temporary);
  disk.symlink(target, temporary);
  disk.rename(temporary, link);
  disk.syncFolder(path.dirname(link));
}
