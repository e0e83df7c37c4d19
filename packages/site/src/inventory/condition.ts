/** How a machine is just now: temperatures, fans, what is free, how worn its disks are. Properties for people, never part of a class. */
import { knownFact } from '@sealane/core';
import { jsonOf } from '../tool-json.js';
import type { InventorySource, InventoryTree } from './source.js';

/** Properties of a device by name. */
export type Condition = Readonly<Record<string, string>>;

/** Sensors and file systems that are told of: a server has a few dozen. */
const MAX_SENSORS = 48;
const MAX_FILE_SYSTEMS = 16;

/** Temperatures, fans, free memory and free room of the local file systems, as far as this host tells them. */
export function hostCondition({ tree, runCommand }: InventorySource): Condition {
  return { ...sensors(tree), ...freeMemory(tree), ...freeRoom(runCommand(['df', '-l', '-P', '-B1']) ?? '') };
}

/** How much of a disk's endurance is used, in per cent; undefined where nobody tells: `smartctl` (smartmontools) is asked if it is there. */
export function diskWear({ runCommand }: InventorySource, device: string): string | undefined {
  const said = jsonOf(runCommand(['smartctl', '--json', '-A', '-n', 'standby', `/dev/${device}`]) ?? '');
  const used =
    numberIn(said, 'endurance_used', 'current_percent') ?? numberIn(said, 'nvme_smart_health_information_log', 'percentage_used');
  return used === undefined ? undefined : `${used} % used`;
}

/** The same of an eMMC, which tells the kernel in tenths, for each of two types of memory: the worse one counts. */
export function mmcWear(tree: InventoryTree, base: string): string | undefined {
  const tenths = (tree.read(`${base}/device/life_time`) ?? '').trim().split(/\s+/).map(Number);
  const worst = Math.max(...tenths.filter((each) => Number.isInteger(each) && each >= 1 && each <= 11));
  if (!Number.isFinite(worst)) return undefined;
  return worst === 11 ? 'over 100 % used' : `${(worst - 1) * 10}–${worst * 10} % used`;
}

/** What of this nobody tells here, in words, by the properties of a host and of its disks; empty when all is known. */
export function untoldCondition(
  host: readonly string[],
  disks: readonly { readonly model: string; readonly told: readonly string[] }[],
): readonly string[] {
  const isTold = (start: string): boolean => host.some((name) => name.startsWith(`sealane:${start}`));
  return [
    ...(isTold('temperature/') ? [] : ['temperature']),
    ...(isTold('fan/') ? [] : ['fans']),
    ...(isTold('free/memory') ? [] : ['free memory']),
    ...(isTold('free/disk') ? [] : ['free disk']),
    ...disks.filter(({ told }) => !told.includes('sealane:wear')).map(({ model }) => `wear of ${model}`),
  ];
}

/** hwmon tells thousandths of a degree, and turns a minute. */
function sensors(tree: InventoryTree): Condition {
  const found = tree.list('sys/class/hwmon').flatMap((chip) => {
    const base = `sys/class/hwmon/${chip}`;
    const name = knownFact(tree.read(`${base}/name`)) ?? chip;
    return tree.list(base).flatMap((entry): (readonly [string, string])[] => {
      const [, kind, number] = /^(temp|fan)(\d{1,3})_input$/.exec(entry) ?? [];
      const value = integerIn(tree.read(`${base}/${entry}`));
      if (kind === undefined || number === undefined || value === undefined) return [];
      const label = knownFact(tree.read(`${base}/${kind}${number}_label`)) ?? number;
      return [
        kind === 'temp' ? [`temperature/${name}/${label}`, `${(value / 1000).toFixed(1)} °C`] : [`fan/${name}/${label}`, `${value} rpm`],
      ];
    });
  });
  return Object.fromEntries(found.slice(0, MAX_SENSORS));
}

function freeMemory(tree: InventoryTree): Condition {
  const text = tree.read('proc/meminfo') ?? '';
  const [available, total] = ['MemAvailable', 'MemTotal'].map((name) =>
    integerIn(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1]),
  );
  return available === undefined || total === undefined ? {} : { 'free/memory': `${available * 1024} of ${total * 1024} bytes` };
}

/** Lines of `df -P`: device, bytes, used, free, per cent, where. */
function freeRoom(text: string): Condition {
  const lines = text.split('\n').flatMap((line): (readonly [string, string])[] => {
    const [, total, free, place] = /^\/dev\/\S+\s+(\d+)\s+\d+\s+(\d+)\s+\S+\s+(\/.*)$/.exec(line) ?? [];
    return total === undefined || free === undefined || place === undefined ? [] : [[`free/disk${place}`, `${free} of ${total} bytes`]];
  });
  return Object.fromEntries(lines.slice(0, MAX_FILE_SYSTEMS));
}

function integerIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
}

/** A whole number of per cent below these keys; a disk may be worn beyond 100. */
function numberIn(value: unknown, ...keys: readonly string[]): number | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255 ? value : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return numberIn((value as Readonly<Record<string, unknown>>)[key], ...rest);
}
