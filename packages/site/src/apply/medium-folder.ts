/** Whether a folder is a medium at all, looked at before it is read: who named another folder, or pulled the stick too early, is told that. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import { type Disk, isNodeError, isSystemError } from '../disk.js';
import { MISSING } from '../fetch/mirror.js';

/** What lies at the top of a medium. */
const PARTS = ['trust', 'log', 'content'] as const;

/** Far above the files of a lane: a medium may be made to be walked for ever. */
const MAX_LOOKED = 1_000_000;

/** Names that a message lists: a stick with a thousand pictures is described by a few. */
const MAX_NAMED = 4;

/** Its units hide home folders and the `/tmp` of others from it (`ProtectHome`, `PrivateTmp`). */
const SEEN = 'a service sees nothing below a home folder or /tmp: mount it at /mnt, readable for everybody';

/**
 * Expects a medium, by its names only: what it holds is verified when it is read.
 *
 * @throws SiteError `USAGE` no folder, an empty one, or one of something else; `TRUST_MALFORMED` a medium whose timestamp, which is written last, is missing
 */
export function expectMedium(disk: Disk, medium: string): void {
  const refused = (got: string, hint: string): SiteError =>
    new SiteError('USAGE', `import medium ${medium}: expected a folder that sealane media export wrote, got ${got}`, { medium }, { hint });
  const kind = kindOf(disk, medium);
  if (kind === 'hidden') throw refused('one that the updater may not look into', SEEN);
  if (kind !== 'folder') throw refused('nothing of the kind', `check the path, and that the medium is mounted there; ${SEEN}`);
  const names = disk.list(medium);
  if (!names.some((name) => PARTS.some((part) => part === name))) {
    const below = names.find((name) => disk.kind(path.join(medium, name)) === 'folder' && isMedium(disk, path.join(medium, name)));
    if (below !== undefined) throw refused(`one in which ${below} is one`, 'name that folder');
    const got = names.length === 0 ? 'an empty one' : `one with ${listed(names)} in it`;
    throw refused(got, 'check the path, and that the medium is mounted there; a medium has trust, log and content in it');
  }
  if (disk.kind(path.join(medium, 'trust', 'metadata', 'timestamp.json')) === 'nothing')
    throw new SiteError(
      'TRUST_MALFORMED',
      `import medium ${medium}: expected trust/metadata/timestamp.json, which is written last, got nothing`,
      { medium },
      { hint: 'it was taken away before it was whole: write it again with sealane media export' },
    );
}

/**
 * The first link, pipe or device on a medium, if one is there: what `fetch` opens none of, and where it is a process of its own cannot name. Folders are
 * walked by their names.
 */
export function unsafePart(disk: Disk, medium: string): string | undefined {
  const left: string[] = PARTS.map((part) => path.join(medium, part));
  for (let looked = 0; looked < MAX_LOOKED; looked += 1) {
    const at = left.pop();
    if (at === undefined) return undefined;
    const kind = disk.kind(at);
    if (kind === 'link' || kind === 'other') return at;
    if (kind === 'folder') for (const name of disk.list(at)) left.push(path.join(at, name));
  }
  return undefined;
}

/** What a look at a medium finds; nothing where it cannot be read, as one that was pulled: `fetch` has said so. */
export function whereReadable<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** What is there; `hidden` where that cannot even be asked. */
function kindOf(disk: Disk, place: string): ReturnType<Disk['kind']> | 'hidden' {
  try {
    return disk.kind(place);
  } catch (error) {
    if (isNodeError(error, 'EACCES', 'EPERM')) return 'hidden';
    throw error;
  }
}

/** The blob of which `fetch` says that the medium lacks it, if that is so: its word alone is none. */
export function missingBlob(disk: Disk, medium: string, offer: string): string | undefined {
  return disk
    .list(path.join(offer, MISSING))
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => `content/blobs/sha256/${name}`)
    .find((file) => disk.kind(path.join(medium, file)) === 'nothing');
}

function isMedium(disk: Disk, folder: string): boolean {
  const names = disk.list(folder);
  return PARTS.every((part) => names.includes(part));
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}
