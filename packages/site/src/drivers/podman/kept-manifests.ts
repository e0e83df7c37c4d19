/** The manifests that the driver hands to the engine: copies that outlive the slot, with the secrets of their release beside them. */
import path from 'node:path';
import { LIMITS, SiteError, utf8 } from '@sealane/core';
import { durableWrite } from '../../durable-write.js';
import type { DriverWorld, SlotOnDisk } from '../driver.js';
import type { Credentials } from '../credentials.js';
import type { ReleaseManifests } from '../release-manifests.js';
import { manifestDocuments } from './kube-manifest.js';
import { type SecretVolume, withSecretVolumes, yamlDocuments } from './secret-volumes.js';

/** Where the driver keeps what the engine reads. */
export function runFolder({ stateFolder: root }: Pick<DriverWorld, 'stateFolder'>): string {
  return path.join(root, 'run', 'podman');
}

/**
 * Writes the copies, and lays down the volumes of secrets that they name: what runs is taken down by the very manifest that brought it up.
 *
 * @throws SiteError `DRIVER_REFUSED` as `withSecretVolumes`; `HEALTH_FAILED` a value is gone
 */
export function keptManifests(
  world: DriverWorld,
  { credentials }: SlotOnDisk,
  manifests: ReleaseManifests['manifests'],
): readonly string[] {
  const folder = runFolder(world);
  world.disk.makeFolder(folder, 0o750);
  return manifests.map(({ file: from, bytes }, at) => {
    const file = path.join(folder, `${String(at).padStart(3, '0')}-${path.basename(from)}`);
    const place = (volume: number): string => path.join(volumesFolder(credentials), `${at}-${volume}`);
    const { documents, volumes } = withSecretVolumes(from, manifestDocuments(from, bytes), credentials, place);
    if (credentials !== undefined) for (const volume of volumes) layVolume(world, credentials, volume);
    durableWrite(world.disk, file, volumes.length === 0 ? bytes : utf8(yamlDocuments(documents)), 0o640);
    return file;
  });
}

/** In the folder of the values, and goes with it: that is closed to others on this host, while a container sees its own volume alone. */
export function volumesFolder(credentials: Credentials | undefined): string {
  return path.join(credentials?.folder ?? '', '.volumes');
}

/** Writes the files of a volume. @throws SiteError `HEALTH_FAILED` a value is gone */
export function layVolume({ disk }: DriverWorld, credentials: Credentials, { folder, files }: SecretVolume): void {
  for (const each of [volumesFolder(credentials), folder]) disk.makeFolder(each, 0o755);
  for (const { secret, name, mode } of files) {
    const bytes = disk.read(path.join(credentials.folder, secret), LIMITS.secretBytes);
    if (bytes === undefined) throw new SiteError('HEALTH_FAILED', `give the workload secret ${secret}: expected its value, got nothing`);
    disk.writeSynced(path.join(folder, name), bytes, mode);
  }
}
