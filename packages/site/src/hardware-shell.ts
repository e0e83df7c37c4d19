/** This host's hardware, collected when it is asked for; the last one that differed is kept beside the state, for people and for tomorrow's comparison. */
import { equalBytes, hardwareClass, hardwareFacts, type JsonObject, utf8 } from '@sealane/core';
import { systemClock } from './clock.js';
import type { Disk } from './disk.js';
import { durableWrite } from './durable-write.js';
import { collectInventory } from './inventory/collect.js';
import { inventorySource } from './inventory/inventory-shell.js';
import { VERSION } from './version.js';

/** An inventory of a host with hundreds of devices stays far below. */
const MAX_INVENTORY_BYTES = 8 * 1024 * 1024;

/** Collects the hardware of this host, and writes it to `file` where its class is another than that of the one there. */
export function hardwareOf(disk: Disk, file: string): Promise<JsonObject> {
  const hbom = collectInventory(inventorySource('/'), { takenAt: systemClock.wallTime(), toolVersion: VERSION });
  const mark = utf8(`${hardwareClass(hardwareFacts(hbom))}\n`);
  const known = disk.read(`${file}.class`, MAX_INVENTORY_BYTES);
  if (known === undefined || !equalBytes(known, mark)) {
    durableWrite(disk, file, utf8(`${JSON.stringify(hbom, null, 1)}\n`), 0o644);
    durableWrite(disk, `${file}.class`, mark, 0o644);
  }
  return Promise.resolve(hbom);
}
