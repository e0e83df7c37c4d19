/** The Kubernetes manifests of a release that lies in its slot, and the digests of all its parts: what a manifest may run. */
import path from 'node:path';
import { type Digest, SiteError } from '@sealane/core';
import { openLayout, walkRelease } from '@sealane/oci';
import { stateFolder } from '../state-folder.js';
import type { DriverWorld, SlotOnDisk } from './driver.js';

const MAX_MANIFEST_BYTES = 1024 * 1024;

/** The manifests, in the order of their parts and names. */
export interface ReleaseManifests {
  readonly manifests: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  readonly digests: ReadonlySet<Digest>;
}

/** Reads them. By the manifest of the release that lies in the store: what is in it was admitted. @throws SiteError `DRIVER_REFUSED` there is none */
export async function releaseManifests(world: Pick<DriverWorld, 'disk' | 'stateFolder'>, slot: SlotOnDisk): Promise<ReleaseManifests> {
  const store = await openLayout(stateFolder(world.stateFolder).store);
  const { doc, blobs } = walkRelease((digest, maxBytes) => store.readBlobSync(digest, maxBytes), slot.release);
  const folders = doc.components.filter(({ kind }) => kind === 'manifest').map(({ name }) => path.join(slot.folder, name));
  const files = folders.flatMap((folder) => world.disk.list(folder).map((name) => path.join(folder, name)));
  if (files.length === 0)
    throw new SiteError('DRIVER_REFUSED', `run ${slot.name} ${slot.version}: expected a Kubernetes manifest among its parts, got none`);
  return {
    manifests: files.map((file) => ({ file, bytes: manifestBytes(world, file) })),
    digests: new Set(blobs.map(({ digest }) => digest)),
  };
}

/** The bytes of one manifest. @throws SiteError `DRIVER_REFUSED` it is not there */
export function manifestBytes({ disk }: Pick<DriverWorld, 'disk'>, file: string): Uint8Array {
  const bytes = disk.read(file, MAX_MANIFEST_BYTES);
  if (bytes === undefined) throw new SiteError('DRIVER_REFUSED', `read ${file}: expected a manifest, got nothing`, { path: file });
  return bytes;
}
