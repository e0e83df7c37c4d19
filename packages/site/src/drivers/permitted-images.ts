/** The images that may run at a site: those that the manifests of its admitted releases name. */
import { SealaneError } from '@sealane/core';
import type { DriverWorld, SlotOnDisk } from './driver.js';
import type { ManifestImage } from './podman/kube-manifest.js';
import { setImages } from './quadlet/unit-set.js';
import { releaseManifests } from './release-manifests.js';

/** Of all these releases. One that cannot be read, or is for another driver, permits nothing: it could not be started either. */
export async function permittedImages(
  world: Pick<DriverWorld, 'disk' | 'stateFolder' | 'talk'>,
  slots: readonly SlotOnDisk[],
): Promise<readonly ManifestImage[]> {
  const each = await Promise.all(slots.map((slot) => imagesIn(world, slot)));
  const byName = new Map(each.flat().map((image) => [`${image.name}@${image.digest}`, image]));
  return [...byName.values()];
}

async function imagesIn(world: Pick<DriverWorld, 'disk' | 'stateFolder' | 'talk'>, slot: SlotOnDisk): Promise<readonly ManifestImage[]> {
  try {
    const { manifests, digests } = await releaseManifests(world, slot);
    return setImages(manifests, digests);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    if (error.code !== 'DRIVER_REFUSED') world.talk(`${slot.name} ${slot.version} permits no image: ${error.message}`);
    return [];
  }
}
