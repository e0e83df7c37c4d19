/**
 * Lays a release down: its blobs from the mirror into the store, hashed on the way, then unpacked into a slot of its own.
 *
 * What runs is not touched. A slot appears whole, by one rename; what a killed attempt left is removed or taken over.
 */
import path from 'node:path';
import { type Digest, SealaneError, SiteError } from '@sealane/core';
import {
  type Descriptor,
  flattenImage,
  type FlattenOptions,
  type Layout,
  openLayout,
  readArtifact,
  readFileInPlace,
  type ReleaseComponent,
  unpackFiles,
  walkRelease,
  type WalkedRelease,
} from '@sealane/oci';
import { manifestFileName } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import { blobPath } from '../fetch/mirror.js';
import type { Site } from '../site.js';
import { slotFolder } from '../state-folder.js';
import type { LaneFolders } from './lane-view.js';

/** Left free whatever is installed: journal, receipts and logs must go on. */
const RESERVE_BYTES = 16 * 1024 * 1024;

/** Layers of programs shrink to a third or a quarter when packed. */
const UNPACK_FACTOR = 4;

/**
 * Lays the release down in its slot; one that is there already is left alone.
 *
 * @throws OciError `CONTENT_*` (nothing is left of the slot); SiteError `DISK_SHORT` before anything is copied
 */
export async function stageRelease(site: Site, lane: LaneFolders, release: Digest): Promise<void> {
  const { world, folder } = site;
  const slot = slotFolder(folder, release);
  if (world.disk.kind(slot) === 'folder') return;
  const walked = walkRelease((digest, maxBytes) => lane.read(blobPath(digest), maxBytes), release);
  const store = await openLayout(folder.store, { create: 'if-missing' });
  await requireSpace(site, store, walked);
  const hashed = new Set<Digest>();
  for (const blob of [...walked.blobs, walked.release]) if (await copyBlob(lane, store, blob)) hashed.add(blob.digest);
  crashPoint('update:blobs-copied');
  const temporary = `${slot}.tmp`;
  world.disk.remove(temporary);
  world.disk.makeFolder(temporary, 0o755);
  try {
    for (const component of walked.doc.components)
      if (belongsInSlot(site, component))
        await unpackComponent(site, { store, hashed, ...laidDownOf(site, component) }, component, path.join(temporary, component.name));
  } catch (error) {
    world.disk.remove(temporary);
    throw await withBadBlobsRemoved(error, store, walked);
  }
  world.disk.syncFolder(temporary);
  crashPoint('update:unpacked');
  world.disk.rename(temporary, slot);
  world.disk.syncFolder(folder.releases);
}

async function requireSpace({ world, folder }: Site, store: Layout, { blobs }: WalkedRelease): Promise<void> {
  const isThere = await Promise.all(blobs.map((blob) => store.hasBlob(blob.digest)));
  const copyBytes = blobs.reduce((sum, blob, at) => sum + (isThere[at] === true ? 0 : blob.size), 0);
  const unpackBytes = blobs.reduce((sum, blob) => sum + blob.size * (blob.mediaType.includes('gzip') ? UNPACK_FACTOR : 1), 0);
  const neededBytes = copyBytes + unpackBytes + RESERVE_BYTES;
  world.disk.makeFolder(folder.releases, 0o755);
  const freeBytes = world.disk.freeBytes(folder.releases);
  if (freeBytes >= neededBytes) return;
  throw new SiteError('DISK_SHORT', `lay down the release in ${folder.releases}: expected ${neededBytes} free bytes, got ${freeBytes}`, {
    neededBytes,
    freeBytes,
  });
}

/** Whether it was copied, and so hashed, now. One that is in the store is hashed when it is unpacked: its being there is enough here. */
async function copyBlob(lane: LaneFolders, store: Layout, { digest, size }: Descriptor): Promise<boolean> {
  if (await store.hasBlob(digest)) return false;
  const file = lane.locate(blobPath(digest));
  if (file === undefined) throw new SiteError('CONTENT_MISSING', `copy blob ${digest}: expected it in the mirror, got nothing`, { digest });
  await store.putBlob(readFileInPlace(file), { expected: digest, size, maxBytes: size });
  return true;
}

/** The store, which of its blobs were hashed now, what is laid down already, and with which modes. */
type Stored = Pick<FlattenOptions, 'twins' | 'indexes' | 'modes'> & {
  readonly store: Layout;
  readonly hashed: ReadonlySet<Digest>;
};

/** An engine takes images out of the store as they are; the updater's own part has a slot elsewhere. */
function belongsInSlot({ config, driver }: Site, { kind, name }: ReleaseComponent): boolean {
  return name !== config.self?.component && !(kind === 'image' && driver.images === 'pulled');
}

/** Unpacks one component into a folder, as its kind is. @throws OciError `CONTENT_*` */
export async function unpackComponent(
  { world, config }: Pick<Site, 'world' | 'config'>,
  { store, ...how }: Stored,
  component: ReleaseComponent,
  target: string,
): Promise<void> {
  const options = { setuid: config.unpack.setuid, ...how };
  switch (component.kind) {
    case 'image':
      await flattenImage(store, component.digest, target, { ...options, platform: hostPlatform() });
      return;
    case 'files':
      await unpackFiles(store, component.digest, target, options);
      return;
    case 'manifest':
    case 'firmware': {
      const { layer } = await readArtifact(store, component.digest);
      world.disk.makeFolder(target, 0o755);
      const bytes = await store.readBlob(layer.digest, layer.size);
      world.disk.writeSynced(path.join(target, manifestFileName(component.name, layer.annotations)), bytes, 0o644);
      world.disk.syncFolder(target);
    }
  }
}

/** The same part of the release that runs, and what its layers are known to hold. */
function laidDownOf({ world, config, folder }: Site, { name }: ReleaseComponent): Pick<Stored, 'twins' | 'indexes'> {
  const running = world.disk.readLink(folder.current);
  if (running === undefined) return { indexes: folder.layers };
  const dir = path.join(folder.releases, path.basename(running), name);
  return { indexes: folder.layers, twins: { dir, use: config.unpack.unchanged === 'link' ? 'link' : 'copy' } };
}

/** Images are made for Linux; a Mac that runs the quickstart takes those of its own processor. */
function hostPlatform(): { os: string; architecture: string; variant?: string } {
  if (process.arch === 'x64') return { os: 'linux', architecture: 'amd64' };
  if (process.arch === 'arm') return { os: 'linux', architecture: 'arm', variant: 'v7' };
  return { os: 'linux', architecture: process.arch };
}

/** A blob that rotted in the store must not stand in the way for ever: the next attempt copies it again. */
async function withBadBlobsRemoved(error: unknown, store: Layout, { blobs }: WalkedRelease): Promise<unknown> {
  if (!(error instanceof SealaneError) || !['CONTENT_DIGEST', 'CONTENT_LENGTH'].includes(error.code)) return error;
  for (const { digest } of blobs) if (!(await store.verifyBlob(digest))) await store.removeBlob(digest);
  return error;
}
