/** What may go: slots and blobs of releases that are neither current, nor kept to go back to, nor on their way in. */
import path from 'node:path';
import { type Digest, digestFromHex, digestHex, SealaneError } from '@sealane/core';
import { openLayout, walkRelease } from '@sealane/oci';
import type { Disk } from '../disk.js';
import { removeWhole } from '../durable-write.js';
import type { Site } from '../site.js';
import { programPlace, pruneProgramSlots } from '../self/slots.js';
import { pruneRendered } from './rendered.js';
import { pruneSecrets } from './secret-files.js';
import type { SiteState } from './state.js';

/** Hex digests of the releases that must stay. */
function neededReleases({ current, kept, phase }: SiteState): ReadonlySet<string> {
  const target = 'target' in phase ? phase.target : null;
  const needed: readonly Digest[] = [
    ...(current === null ? [] : [current.release]),
    ...kept.map(({ release }) => release),
    ...(target === null ? [] : [target.release]),
  ];
  return new Set(needed.map(digestHex));
}

/** Removes slots that nothing needs, half-made ones too; returns the paths. The one that `current` points to always stays. */
export function pruneSlots({ world, folder }: Pick<Site, 'world' | 'folder'>, state: SiteState): readonly string[] {
  const needed = neededReleases(state);
  const running = path.basename(world.disk.readLink(folder.current) ?? '');
  const inMaking = state.phase.at === 'admitted' ? `${digestHex(state.phase.target.release)}.tmp` : undefined;
  const useless = world.disk.list(folder.releases).filter((name) => !needed.has(name) && name !== running && name !== inMaking);
  for (const name of useless) removeWhole(world.disk, path.join(folder.releases, name));
  pruneRendered(world.disk, folder, state);
  pruneSecrets(world.disk, folder, state);
  const programs = programPlace(world.env);
  // one that was laid down is named by no link yet
  if (programs !== undefined && state.phase.at === 'idle') pruneProgramSlots(world.disk, programs);
  return useless.map((name) => path.join(folder.releases, name));
}

/** Bytes below a path, links not followed. */
export function bytesBelow(disk: Disk, file: string): number {
  const kind = disk.kind(file);
  if (kind === 'file') return disk.sizeBytes(file);
  return kind === 'folder' ? disk.list(file).reduce((sum, name) => sum + bytesBelow(disk, path.join(file, name)), 0) : 0;
}

/** Removes blobs of the store that no needed release has, and what is known of such layers; returns how many blobs. When one of them cannot be walked, nothing is removed. */
export async function pruneStore({ world, folder }: Pick<Site, 'world' | 'folder'>, state: SiteState): Promise<number> {
  if (world.disk.kind(folder.store) === 'nothing') return 0;
  const store = await openLayout(folder.store, { create: 'if-missing' });
  const wanted = new Set<string>();
  try {
    for (const hex of neededReleases(state)) {
      const { release, blobs } = walkRelease((digest, maxBytes) => store.readBlobSync(digest, maxBytes), digestFromHex(hex));
      for (const { digest } of [release, ...blobs]) wanted.add(digestHex(digest));
    }
  } catch (error) {
    // a kept slot whose blobs are gone or damaged: it runs without them, but what else it needs is not known
    if (error instanceof SealaneError) return 0;
    throw error;
  }
  const names = world.disk
    .list(path.join(folder.store, 'blobs', 'sha256'))
    .filter((name) => /^[0-9a-f]{64}$/.test(name) && !wanted.has(name));
  for (const name of names) await store.removeBlob(digestFromHex(name));
  for (const name of world.disk.list(folder.layers)) if (!wanted.has(name)) world.disk.remove(path.join(folder.layers, name));
  return names.length;
}
