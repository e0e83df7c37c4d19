/** This host's hardware, collected when it is asked for; the last one that differed is kept beside the state, for people and for tomorrow's comparison. */
import { equalBytes, hardwareClass, hardwareDevices, type JsonObject, utf8 } from '@sealane/core';
import { systemClock } from './clock.js';
import type { Disk } from './disk.js';
import { durableWrite } from './durable-write.js';
import { withAttached } from './inventory/attached.js';
import { collectInventory } from './inventory/collect.js';
import { inventorySource } from './inventory/inventory-shell.js';
import { VERSION } from './version.js';

/** An inventory of a host with hundreds of devices stays far below. */
const MAX_INVENTORY_BYTES = 8 * 1024 * 1024;

/** Where an inventory is taken: below which root, and which files name devices that are not seen there. Absolute paths. */
export interface InventoryPlace {
  readonly root: string;
  readonly devices: readonly string[];
}

/** Collects the hardware of this host, with the devices that files name. */
export function collectHardware(disk: Disk, { root, devices }: InventoryPlace, talk: (line: string) => void): JsonObject {
  const hbom = collectInventory(inventorySource(root), { takenAt: systemClock.wallTime(), toolVersion: VERSION });
  return withAttached(hbom, devices, { read: (file, maxBytes) => disk.read(file, maxBytes), talk });
}

/** As `collectHardware`, and writes the inventory to `file` where a class in it is another than in the one there. */
export function hardwareOf(disk: Disk, file: string, place: InventoryPlace, talk: (line: string) => void): Promise<JsonObject> {
  const hbom = collectHardware(disk, place, talk);
  const mark = utf8(
    hardwareDevices(hbom)
      .map(({ facts }) => `${hardwareClass(facts)}\n`)
      .join(''),
  );
  const known = disk.read(`${file}.class`, MAX_INVENTORY_BYTES);
  if (known === undefined || !equalBytes(known, mark)) {
    durableWrite(disk, file, utf8(`${JSON.stringify(hbom, null, 1)}\n`), 0o644);
    durableWrite(disk, `${file}.class`, mark, 0o644);
  }
  return Promise.resolve(hbom);
}
