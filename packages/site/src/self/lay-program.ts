/** Lays the updater's own part of a release down in a slot of its own, beside the program that runs. */
import path from 'node:path';
import { type Digest, digestHex, SiteError, utf8 } from '@sealane/core';
import { openLayout, type ReleaseComponent, walkRelease } from '@sealane/oci';
import { unpackComponent } from '../apply/stage-release.js';
import { crashPoint } from '../crash-point.js';
import type { Site } from '../site.js';
import type { Target } from '../apply/state.js';
import { isWholeProgram, SUMS, sumsOf } from './program-sums.js';
import { committedSlot, type ProgramPlace, programPlace, treeOf } from './slots.js';

/** What the launcher starts in a tree. */
const ENTRY = 'launch.mjs';

/** The slot of the program that a release brings, if it is another one than runs. New values of secrets bring none. */
export async function programToTry(site: Site, { release, cause }: Target): Promise<string | undefined> {
  const component = cause === 'secrets' ? undefined : await componentOf(site, release);
  const place = programPlace(site.world.env);
  if (component === undefined || place === undefined) return undefined;
  const slot = digestHex(component.digest);
  return slot === place.own && slot === committedSlot(site.world.disk, place) ? undefined : slot;
}

/**
 * Lays it down; one that is there already, and whole, is left alone.
 *
 * @throws SiteError `DRIVER_REFUSED` no program, or none that could be taken back; OciError `CONTENT_*` nothing is left of the slot
 */
export async function layProgram(site: Site, release: Digest): Promise<void> {
  const { disk, env } = site.world;
  const component = await componentOf(site, release);
  if (component === undefined) return;
  const place = programPlace(env);
  if (place === undefined) throw refused(component, 'an updater that was installed as a package', 'one that was started from elsewhere');
  const slot = digestHex(component.digest);
  if (disk.kind(treeOf(place, slot)) === 'folder' && isWholeProgram(path.join(place.folder, slot), 'all')) return;
  const temporary = path.join(place.folder, `${slot}.tmp`);
  disk.remove(temporary);
  disk.makeFolder(temporary, 0o755);
  try {
    const tree = path.join(temporary, 'tree');
    const store = await openLayout(site.folder.store);
    // root runs it, and fetch, which is nobody: whatever an image says, others may read it and none may write it
    await unpackComponent(site, { store, hashed: new Set(), modes: 'two' }, component, tree);
    if (disk.kind(path.join(tree, ENTRY)) !== 'file') throw refused(component, `a program tree with ${ENTRY}`, 'none');
    disk.writeSynced(path.join(temporary, SUMS), utf8(sumsOf(tree)), 0o644);
  } catch (error) {
    disk.remove(temporary);
    throw error;
  }
  disk.syncFolder(temporary);
  replace(site, place, slot, temporary);
  crashPoint('update:program-unpacked');
}

/** A slot without its tree is what a broken removal left; one that is damaged is laid down anew. */
function replace({ world }: Site, { folder }: ProgramPlace, slot: string, temporary: string): void {
  world.disk.remove(path.join(folder, slot));
  world.disk.rename(temporary, path.join(folder, slot));
  world.disk.syncFolder(folder);
}

/** @throws SiteError `DRIVER_REFUSED` */
async function componentOf({ config, folder }: Pick<Site, 'config' | 'folder'>, release: Digest): Promise<ReleaseComponent | undefined> {
  if (config.self === undefined) return undefined;
  const store = await openLayout(folder.store);
  const { components } = walkRelease((digest, maxBytes) => store.readBlobSync(digest, maxBytes), release).doc;
  const component = components.find(({ name }) => name === config.self?.component);
  if (component === undefined) return undefined;
  if (component.kind !== 'files' && component.kind !== 'image') throw refused(component, 'files or an image', `kind ${component.kind}`);
  // it comes last, and so does a part that cannot be taken back: a program that fails would leave the set torn
  if (components.some(({ oneWay }) => oneWay === true))
    throw refused(component, 'a release that can be rolled back as a whole', 'one with a part without a way back');
  return component;
}

function refused({ name }: ReleaseComponent, expected: string, got: string): SiteError {
  return new SiteError('DRIVER_REFUSED', `bring in the updater’s own part ${name}: expected ${expected}, got ${got}`);
}
