/** The names that releases gave to what is there: the one that was given to the engine last, and those that were laid down before names were written down. */
import path from 'node:path';
import { digestFromHex, SealaneError } from '@sealane/core';
import { stateFolder } from '../../state-folder.js';
import type { DriverWorld, SlotOnDisk } from '../driver.js';
import { type ReleaseManifests, releaseManifests } from '../release-manifests.js';
import { type EngineNames, NO_NAMES, together } from './engine-names.js';

/** Reads the names in manifests. */
type NamesOf = (manifests: ReleaseManifests['manifests']) => EngineNames;

/** Of one release. One that cannot be read could not be started either: it has made nothing that is known. */
export async function slotNames(world: DriverWorld, slot: Pick<SlotOnDisk, 'release' | 'folder'>, namesOf: NamesOf): Promise<EngineNames> {
  try {
    return namesOf((await releaseManifests(world, { ...slot, name: '', version: '' })).manifests);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    world.talk(`names of ${slot.release} are not known: ${error.message}`);
    return NO_NAMES;
  }
}

/** Of all releases that lie here, but for the one that is about to be made ready. */
export async function namesOnDisk(world: DriverWorld, but: SlotOnDisk | undefined, namesOf: NamesOf): Promise<EngineNames> {
  const { releases } = stateFolder(world.stateFolder);
  const slots = world.disk
    .list(releases)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => ({ release: digestFromHex(name), folder: path.join(releases, name) }));
  const names: EngineNames[] = [];
  for (const slot of slots.filter(({ release }) => release !== but?.release)) names.push(await slotNames(world, slot, namesOf));
  return together(names);
}
