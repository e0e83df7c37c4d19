/** What leads to the release that runs, put back where somebody took it away or changed it: its slot, and the link to it. */
import path from 'node:path';
import { type Digest, digestHex } from '@sealane/core';
import type { Site } from '../site.js';
import { slotFolder } from '../state-folder.js';
import type { CarryContext } from './carry-out.js';
import { durableLink } from '../durable-write.js';
import { setAside } from './journal-file.js';
import type { LaneFolders } from './lane-view.js';
import { slotOf, stopWorkload } from './slot-watch.js';
import { stageRelease } from './stage-release.js';

/** Where `current` is to point. */
export function linkTo(release: Digest): string {
  return path.join('releases', digestHex(release));
}

/**
 * Puts slot and link back; returns what was done, in words. A site in between two releases is left alone: what is under way does it.
 *
 * @throws OciError `CONTENT_*` a blob of the release is in neither store nor mirror; SiteError `DISK_SHORT`
 */
export async function mendCurrent({ site, machine, lane }: CarryContext): Promise<readonly string[]> {
  const { world, folder, driver } = site;
  const { current, phase } = machine.state();
  if (current === null || !['idle', 'admitted', 'staged'].includes(phase.at)) return [];
  const done: string[] = [];
  if (world.disk.kind(slotFolder(folder, current.release)) !== 'folder') {
    await stageRelease(site, withStore(site, lane), current.release);
    await driver.prepare?.(slotOf(folder, current));
    // what runs runs in a folder that is gone
    await stopWorkload(site);
    done.push(`${current.name} ${current.version} was laid down again`);
  }
  if (world.disk.readLink(folder.current) === linkTo(current.release)) return done;
  if (world.disk.kind(folder.current) !== 'link' && world.disk.kind(folder.current) !== 'nothing')
    done.push(`what lay in the place of current is kept in ${setAside(world.disk, folder.current, world.clock.wallTime())}`);
  durableLink(world.disk, linkTo(current.release), folder.current);
  return [...done, `current points to ${linkTo(current.release)} again`];
}

/** The store holds every blob of a release that was committed here, the mirror perhaps none of it any more. */
function withStore({ world, folder }: Site, lane: LaneFolders): LaneFolders {
  const inStore = (file: string): string => path.join(folder.store, path.relative('content', file));
  return {
    locate: (file) => (world.disk.kind(inStore(file)) === 'file' ? inStore(file) : lane.locate(file)),
    read: (file, maxBytes) => world.disk.read(inStore(file), maxBytes) ?? lane.read(file, maxBytes),
  };
}
