/**
 * Whether a machine is still the very one it was, unit by unit: a class forgives another serial, a test rig must not.
 *
 * Slots, MACs and the order of components never count; what the maker left unknown is compared as unknown.
 */
import type { JsonObject } from './canonical-json.js';
import { partName } from './hardware-class.js';
import { type RawDevice, type RawInventory, readDevices } from './hardware-inventory.js';

/** What differs, one line for each device, bounded. `units`: devices by vendor, model, revision and serial. `firmware`: what runs on them. */
export interface HardwareDrift {
  readonly units: readonly string[];
  readonly firmware: readonly string[];
}

/** Lines of one kind: enough to act on. */
const MAX_LINES = 16;

/**
 * Compares two inventories of one machine. Nothing in either list: nothing has changed.
 *
 * @throws CoreError `HBOM_MALFORMED`
 */
export function hardwareDrift(before: JsonObject, now: JsonObject): HardwareDrift {
  const [old, found] = [allDevices(readDevices(before)), allDevices(readDevices(now))];
  return {
    units: changes(old.map(unitText), found.map(unitText)),
    firmware: changes(old.flatMap(firmwareTexts), found.flatMap(firmwareTexts)),
  };
}

function allDevices({ host, attached }: RawInventory): readonly RawDevice[] {
  return [host, ...attached].flatMap(({ device, parts }) => [device, ...parts]);
}

function unitText(device: RawDevice): string {
  return `${partName(device) || 'unnamed device'}${device.serial === undefined ? '' : `, serial ${device.serial}`}`;
}

function firmwareTexts(device: RawDevice): readonly string[] {
  return device.firmware.map(({ name, version }) => `${unitText(device)}: ${name} ${version}`);
}

/** What is in one list of words and not in the other, counting repeats. */
function changes(before: readonly string[], now: readonly string[]): readonly string[] {
  const lines = [...without(before, now).map((word) => `gone: ${word}`), ...without(now, before).map((word) => `new: ${word}`)];
  const rest = lines.length - MAX_LINES;
  return rest > 0 ? [...lines.slice(0, MAX_LINES), `and ${String(rest)} more`] : lines;
}

function without(words: readonly string[], others: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const word of others) counts.set(word, (counts.get(word) ?? 0) + 1);
  return words.filter((word) => {
    const left = counts.get(word) ?? 0;
    counts.set(word, left - 1);
    return left <= 0;
  });
}
