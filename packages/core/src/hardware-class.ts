/**
 * Hardware classes: what a device inventory (CycloneDX 1.6 or 1.7, `type: device`) says about the kind of machine it is.
 *
 * One code for lab, gate and site. Vendor, model, revision and firmware make a class; serials, MACs, slots, the order of
 * components and the BOM's own version never do. An unknown fact is absent, and absent is never "the same".
 */
import { canonicalJson, type JsonObject } from './canonical-json.js';
import { type Digest, sha256 } from './digest.js';
import { fromUtf8 } from './bytes.js';
import { readDevices, type RawDevice } from './hardware-inventory.js';

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

/**
 * The facts of a device BOM.
 *
 * A firmware named twice on one device keeps all its versions, so none can hide behind another.
 *
 * @throws CoreError `HBOM_MALFORMED` not a CycloneDX device BOM, or over its bounds
 */
export function hardwareFacts(hbom: JsonObject): HardwareFacts {
  const { host, parts } = readDevices(hbom);
  const cpus = parts.filter((part) => part.isCpu).map(partName);
  const cpu = [...new Set(cpus)]
    .filter((name) => name !== '')
    .sort()
    .join(' + ');
  const known = parts.map(partFacts).filter((part) => partName(part) !== '' || Object.keys(part.firmware).length > 0);
  return {
    ...(host.arch === undefined ? {} : { arch: host.arch }),
    ...(cpu === '' ? {} : { cpu }),
    ...partFacts(host),
    parts: known.sort((left, right) => compareText(partText(left), partText(right))),
  };
}

/**
 * The serial number of the device that a BOM describes, when known: tells one unit from another, and is never part of a class.
 *
 * @throws CoreError `HBOM_MALFORMED`
 */
export function hardwareSerial(hbom: JsonObject): string | undefined {
  return readDevices(hbom).host.serial;
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
export function partText({ vendor, model, revision, firmware }: HardwarePart): string {
  return fromUtf8(canonicalJson({ vendor, model, revision, firmware }));
}

function partFacts(device: RawDevice): HardwarePart {
  const { vendor, model, revision } = device;
  return {
    ...(vendor === undefined ? {} : { vendor }),
    ...(model === undefined ? {} : { model }),
    ...(revision === undefined ? {} : { revision }),
    firmware: firmwareFacts(device.firmware),
  };
}

function firmwareFacts(entries: RawDevice['firmware']): Record<string, string> {
  const versions = new Map<string, Set<string>>();
  for (const { name, version } of entries) versions.set(name, (versions.get(name) ?? new Set<string>()).add(version));
  // fromEntries defines own properties, so a firmware called __proto__ stays a fact.
  return Object.fromEntries([...versions].map(([name, all]) => [name, [...all].sort().join(' | ')]));
}

/** Order by UTF-16 units: the same on every machine, unlike localeCompare. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
