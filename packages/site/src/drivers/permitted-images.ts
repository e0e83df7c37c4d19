/** The images that may run at a site: those that the manifests of its admitted releases name. */
import { digestFromHex, SealaneError } from '@sealane/core';
import type { DriverWorld, SlotOnDisk, Stray } from './driver.js';
import type { ManifestImage } from './podman/kube-manifest.js';
import { setImages } from './quadlet/unit-set.js';
import { type ReleaseManifests, releaseManifests } from './release-manifests.js';

/** What may run, and the releases whose manifests this version of the updater reads no more: they run on, and people are told. */
export interface Permitted {
  readonly images: readonly ManifestImage[];
  readonly unread: readonly Stray[];
}

interface OfSlot {
  readonly images: readonly ManifestImage[];
  readonly unread?: Stray;
}

type World = Pick<DriverWorld, 'disk' | 'stateFolder' | 'talk'>;

/** How such a release is named among what is told to people. */
export const UNREAD = 'release';

/** An image by digest anywhere in a text. */
const NAMED = /\b([a-z0-9][a-z0-9._:/-]{0,254})@sha256:([0-9a-f]{64})(?![0-9a-f])/g;

/** Of all these releases. One of another driver permits nothing. */
export async function permittedImages(world: World, slots: readonly SlotOnDisk[]): Promise<Permitted> {
  const each = await Promise.all(slots.map((slot) => ofSlot(world, slot)));
  const byName = new Map(each.flatMap(({ images }) => images).map((image) => [`${image.name}@${image.digest}`, image]));
  return { images: [...byName.values()], unread: each.flatMap(({ unread }) => unread ?? []) };
}

async function ofSlot(world: World, slot: SlotOnDisk): Promise<OfSlot> {
  try {
    return readOrNamed(await releaseManifests(world, slot), slot);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    if (error.code !== 'DRIVER_REFUSED') world.talk(`${slot.name} ${slot.version} permits no image: ${error.message}`);
    return { images: [] };
  }
}

/**
 * A version of the updater that reads manifests more strictly than the one that installed a release must not have its engine end that release, nor keep a cluster
 * from starting its pods again: whatever of the release's own parts its text names stays permitted. No other image can come in by that.
 */
function readOrNamed({ manifests, digests }: ReleaseManifests, { name, version, isNew }: SlotOnDisk): OfSlot {
  try {
    return { images: setImages(manifests, digests) };
  } catch (error) {
    // what is on its way in is refused by who makes it ready
    if (!(error instanceof SealaneError) || isNew === true) throw error;
    const how = `would not be started anew by this version of the updater, and its images stay permitted: ${error.message}`;
    return {
      images: manifests.flatMap(({ bytes }) => named(bytes, digests)),
      unread: { what: `${UNREAD} ${name} ${version}`, how, did: 'reported' },
    };
  }
}

function named(bytes: Uint8Array, parts: ReleaseManifests['digests']): readonly ManifestImage[] {
  const found = [...Buffer.from(bytes).toString('latin1').matchAll(NAMED)];
  return found.map(([, name = '', hex = '']) => ({ name, digest: digestFromHex(hex) })).filter(({ digest }) => parts.has(digest));
}
