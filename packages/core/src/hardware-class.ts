/**
 * Hardware classes: what a device inventory (CycloneDX 1.6 or 1.7, `type: device`) says about the kind of machine it is.
 *
 * One code for lab, gate and site. Vendor, model, revision and firmware make a class; serials, MACs, slots, the order of
 * components and the BOM's own version never do. An unknown fact is absent, and absent is never "the same".
 */
import { canonicalJson, type JsonObject } from './canonical-json.js';
import { type Digest, sha256 } from './digest.js';
import { fromUtf8 } from './bytes.js';
import { CoreError } from './errors.js';
import { type RawDevice, type RawUnit, readDevices } from './hardware-inventory.js';

/** One part (NIC, disk, GPU, CPU, I/O module); `firmware` maps the name of a firmware to its version. */
export interface HardwarePart {
  readonly vendor?: string;
  readonly model?: string;
  readonly revision?: string;
  readonly firmware: Readonly<Record<string, string>>;
}

/** What is known of a device. `firmware` is the host's own; that of parts is with the parts, which are sorted. */
export interface HardwareFacts extends HardwarePart {
  readonly arch?: string;
  readonly cpu?: string;
  readonly parts: readonly HardwarePart[];
}

/** The facts that a policy may require, by name. */
export const HARDWARE_FACTS = ['arch', 'cpu', 'vendor', 'model', 'revision', 'firmware', 'parts'] as const;

/** One device of an inventory: the machine (`host`) with its parts, or a device attached to it (`camera`, `plc` …) with its own. */
export interface HardwareDevice {
  readonly role: string;
  readonly facts: HardwareFacts;
  /** Tells one unit from another where it is known; never part of a class. */
  readonly serial: string | undefined;
}

/**
 * The devices of a device BOM, the machine first. Each is of a class of its own: a camera is tested as a camera, whatever it hangs on.
 *
 * A firmware named twice on one device keeps all its versions, so none can hide behind another.
 *
 * @throws CoreError `HBOM_MALFORMED` not a CycloneDX device BOM, or over its bounds
 */
export function hardwareDevices(hbom: JsonObject): readonly HardwareDevice[] {
  const { host, attached } = readDevices(hbom);
  return [host, ...attached].map((unit) => ({ role: unit.role, facts: unitFacts(unit), serial: unit.device.serial }));
}

/** A part of a device, and what tells it from another of its kind: where it sits, and its serial. Neither is part of a class. */
export interface FittedPart {
  readonly part: HardwarePart;
  readonly slot: string | undefined;
  readonly serial: string | undefined;
}

/**
 * The parts of each device of a device BOM, in the order of `hardwareDevices` and of the BOM; those of which nothing is known are left out.
 *
 * @throws CoreError `HBOM_MALFORMED`
 */
export function fittedParts(hbom: JsonObject): readonly (readonly FittedPart[])[] {
  const { host, attached } = readDevices(hbom);
  return [host, ...attached].map(({ parts }) =>
    parts.filter(isKnown).map((part) => ({ part: partFacts(part), slot: part.slot, serial: part.serial })),
  );
}

/** A device without what tells one unit from another: equal machines have equal ones. */
export type DeviceKind = Pick<HardwareDevice, 'role' | 'facts'>;

/** What an inventory says of a machine and of each device attached to it, the machine first; or, in words, why it cannot be read. */
export type FoundHardware = { readonly devices: readonly DeviceKind[] } | { readonly unreadable: string };

/** What an inventory says, without serials. Never throws: what cannot be read is said, and covers nothing. */
export function foundHardware(hbom: JsonObject): FoundHardware {
  try {
    return { devices: hardwareDevices(hbom).map(({ role, facts }) => ({ role, facts })) };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return { unreadable: error.message };
  }
}

/**
 * The facts of the machine that a BOM describes, without the devices attached to it.
 *
 * @throws CoreError `HBOM_MALFORMED`
 */
export function hardwareFacts(hbom: JsonObject): HardwareFacts {
  return unitFacts(readDevices(hbom).host);
}

/**
 * The serial number of the machine that a BOM describes, when known.
 *
 * @throws CoreError `HBOM_MALFORMED`
 */
export function hardwareSerial(hbom: JsonObject): string | undefined {
  return readDevices(hbom).host.device.serial;
}

function unitFacts({ device, parts }: RawUnit): HardwareFacts {
  const cpus = parts.filter(({ isCpu }) => isCpu).map(partName);
  const cpu = [...new Set(cpus)]
    .filter((name) => name !== '')
    .sort()
    .join(' + ');
  const known = parts.filter(isKnown).map(partFacts);
  return {
    ...(device.arch === undefined ? {} : { arch: device.arch }),
    ...(cpu === '' ? {} : { cpu }),
    ...partFacts(device),
    parts: sortedParts(known),
  };
}

function isKnown({ vendor, model, revision, firmware }: RawDevice): boolean {
  return vendor !== undefined || model !== undefined || revision !== undefined || firmware.length > 0;
}

/** Parts in the order of their canonical texts, written here without the cost of making those. */
function sortedParts(parts: readonly HardwarePart[]): readonly HardwarePart[] {
  return parts
    .map((part) => ({ part, text: orderText(part) }))
    .sort((left, right) => compareText(left.text, right.text))
    .map(({ part }) => part);
}

/** The name of a class: SHA-256 of the facts as canonical JSON. Equal facts, equal class. */
export function hardwareClass(facts: HardwareFacts): Digest {
  const { arch, cpu, parts } = facts;
  return sha256(canonicalJson({ arch, cpu, host: partText(facts), parts: parts.map(partText).sort(compareText) }));
}

/** Vendor, model and revision of a part on one line; empty when none is known. */
export function partName(part: {
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly revision?: string | undefined;
}): string {
  return [part.vendor, part.model, part.revision].filter((word) => word !== undefined).join(' ');
}

/** A part as canonical JSON text: what makes two parts the same. */
function partText({ vendor, model, revision, firmware }: HardwarePart): string {
  return fromUtf8(canonicalJson({ vendor, model, revision, firmware }));
}

function orderText({ firmware, model, revision, vendor }: HardwarePart): string {
  return JSON.stringify({ firmware, model, revision, vendor });
}

function partFacts({ vendor, model, revision, firmware }: RawDevice): HardwarePart {
  // one plain object: ten thousand inventories are read in one evaluation
  const facts: { vendor?: string; model?: string; revision?: string; firmware?: HardwarePart['firmware'] } = {};
  if (vendor !== undefined) facts.vendor = vendor;
  if (model !== undefined) facts.model = model;
  if (revision !== undefined) facts.revision = revision;
  return Object.assign(facts, { firmware: firmwareFacts(firmware) });
}

function firmwareFacts(entries: RawDevice['firmware']): Record<string, string> {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return Object.fromEntries([[only.name, only.version]]);
  const versions = new Map<string, Set<string>>();
  for (const { name, version } of entries) versions.set(name, (versions.get(name) ?? new Set<string>()).add(version));
  // fromEntries defines own properties, so a firmware called __proto__ stays a fact.
  return Object.fromEntries(
    [...versions].sort(([left], [right]) => compareText(left, right)).map(([name, all]) => [name, [...all].sort().join(' | ')]),
  );
}

/** Order by UTF-16 units: the same on every machine, unlike localeCompare. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
