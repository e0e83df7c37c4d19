/** This host's hardware, collected when it is asked for; the last one that differed is kept beside the state, for people and for tomorrow's comparison. */
import { hardwareDrift, type JsonObject, LIMITS, parseStrictJson, SealaneError, utf8 } from '@sealane/core';
import { systemClock } from './clock.js';
import type { Disk } from './disk.js';
import { durableWrite } from './durable-write.js';
import { withAttached } from './inventory/attached.js';
import { collectInventory } from './inventory/collect.js';
import { inventorySource, type Lookout } from './inventory/inventory-shell.js';
import type { InventorySource, RunCommand } from './inventory/source.js';
import { VERSION } from './version.js';

/** An inventory of a host with hundreds of devices stays far below. */
const MAX_INVENTORY_BYTES = 8 * 1024 * 1024;

/** Where an inventory is taken: below which root, from where it is looked at, and which files name devices that are not seen there. Absolute paths. */
export interface InventoryPlace {
  readonly root: string;
  readonly from: Lookout;
  readonly devices: readonly string[];
}

/** Tools that tell what hardware is judged by. All others tell how it is just now, or its name in words. */
const TOOLS_OF_FACTS: readonly (string | undefined)[] = ['ethtool'];

/** Collects the hardware of this host, with the devices that files name. */
export function collectHardware(disk: Disk, place: InventoryPlace, talk: (line: string) => void): JsonObject {
  return collectFrom(disk, inventorySource(place.root, place.from), place, talk);
}

/**
 * As `collectHardware`; where a unit or its firmware is another than in the inventory in `file`, that is told and `file` replaced. How worn or warm a unit is makes no
 * difference.
 */
export function hardwareOf(disk: Disk, file: string, place: InventoryPlace, talk: (line: string) => void): JsonObject {
  const hbom = collectHardware(disk, place, talk);
  const changes = changesSince(disk.read(file, MAX_INVENTORY_BYTES), hbom);
  if (changes === undefined || changes.length > 0) durableWrite(disk, file, utf8(`${JSON.stringify(hbom, null, 1)}\n`), 0o644);
  for (const change of changes ?? []) talk(`the hardware has changed: ${change}`);
  return hbom;
}

/**
 * What of it is judged, each time that the lane is looked at, which may be each minute: tools that only say how worn or full a unit is are not asked, as long as the
 * units and their firmware are those in `file`.
 */
export function judgedHardware(disk: Disk, file: string, place: InventoryPlace, talk: (line: string) => void): JsonObject {
  const source = inventorySource(place.root, place.from);
  const runCommand: RunCommand = (argv) => (TOOLS_OF_FACTS.includes(argv[0]) ? source.runCommand(argv) : undefined);
  const said: string[] = [];
  const facts = collectFrom(disk, { ...source, runCommand }, place, (line) => said.push(line));
  if (changesSince(disk.read(file, MAX_INVENTORY_BYTES), facts)?.length !== 0) return hardwareOf(disk, file, place, talk);
  for (const line of said) talk(line);
  return facts;
}

function collectFrom(disk: Disk, source: InventorySource, { devices }: InventoryPlace, talk: (line: string) => void): JsonObject {
  const hbom = collectInventory(source, { takenAt: systemClock.wallTime(), toolVersion: VERSION });
  return withAttached(hbom, devices, { read: (file, maxBytes) => disk.read(file, maxBytes), talk });
}

/** What differs from the inventory that was kept; undefined without one that can be read. */
function changesSince(kept: Uint8Array | undefined, hbom: JsonObject): readonly string[] | undefined {
  if (kept === undefined) return undefined;
  try {
    const before = parseStrictJson(kept, { maxBytes: MAX_INVENTORY_BYTES, maxDepth: LIMITS.jsonDepth });
    if (typeof before !== 'object' || before === null) return undefined;
    const { units, firmware } = hardwareDrift(before as JsonObject, hbom);
    return [...units, ...firmware];
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
