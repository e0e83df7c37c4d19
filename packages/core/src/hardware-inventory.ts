/** Reads devices and firmware out of a CycloneDX device BOM (specification 1.6 and 1.7), with bounds, believing nothing. */
import type { JsonObject, JsonValue } from './canonical-json.js';
import { CoreError } from './errors.js';

/** One device as the BOM says it: own facts, own firmware, own properties. */
export interface RawDevice {
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly revision: string | undefined;
  readonly arch: string | undefined;
  readonly serial: string | undefined;
  /** Where it sits, as its inventory names the place (`0000:3b:00.0`, `DIMM_A1,DIMM_B1`). */
  readonly slot: string | undefined;
  readonly isCpu: boolean;
  readonly firmware: readonly { readonly name: string; readonly version: string }[];
}

/** A device with the parts inside it. `role` is what it does, in CycloneDX's words (`camera`); the machine itself is `host`. */
export interface RawUnit {
  readonly role: string;
  readonly device: RawDevice;
  readonly parts: readonly RawDevice[];
}

/** The machine, and what is attached to it, in the BOM's order. */
export interface RawInventory {
  readonly host: RawUnit;
  readonly attached: readonly RawUnit[];
}

/** What `cdx:device:function` says of a device that is attached to the machine and no part of it: each is of a class of its own. */
export const ATTACHED_ROLES: readonly string[] = ['sensor', 'actuator', 'plc', 'camera', 'gateway', 'peripheral'];

/** Most devices and firmware of one inventory: a chassis of 4 nodes has under 200, and comparing is quadratic. */
const MAX_COMPONENTS = 1024;
/** Deepest nesting of components: chassis, node, module, submodule, firmware, and room. */
const MAX_NESTING = 8;
/** Longest fact, in UTF-16 units: the longest real one seen has 74. */
const MAX_FACT = 256;

/** What board makers leave in tables when they fill in nothing: not facts, but the absence of one. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  '-',
  '0',
  '0x0',
  'default string',
  'empty',
  'n/a',
  'na',
  'no asset tag',
  'none',
  'not applicable',
  'not available',
  'not specified',
  'null',
  'o.e.m.',
  'oem',
  'system manufacturer',
  'system product name',
  'system serial number',
  'system version',
  'tbd',
  'to be filled by o.e.m.',
  'undefined',
  'unknown',
  'unspecified',
]);

const LONGEST_PLACEHOLDER = Math.max(...[...PLACEHOLDERS].map(({ length }) => length));
/** Words with one blank between them: what most facts are already. */
const IS_TIDY = /^[!-~]+(?: [!-~]+)*$/;

/**
 * A fact as it counts: trimmed, runs of blanks (and the NUL that ends device-tree texts) made one; undefined for a maker's placeholder.
 */
export function knownFact(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_FACT * 4) return undefined;
  const tidy = IS_TIDY.test(text) ? text : text.replace(/[\s\0]+/g, ' ').trim();
  if (tidy.length > MAX_FACT) return undefined;
  return tidy.length <= LONGEST_PLACEHOLDER && PLACEHOLDERS.has(tidy.toLowerCase()) ? undefined : tidy;
}

/**
 * The host (`metadata.component`) with its parts, and the devices attached to it, at whatever depth the BOM nests them. Firmware listed
 * beside the devices, not below one, is the host's; what is nested in an attached device is that device's.
 *
 * @throws CoreError `HBOM_MALFORMED` not a CycloneDX 1.6 or 1.7 device BOM, or over the bounds of this file
 */
export function readDevices(hbom: JsonObject): RawInventory {
  if (hbom.bomFormat !== 'CycloneDX') fail(`expected bomFormat CycloneDX, got ${describe(hbom.bomFormat)}`);
  if (hbom.specVersion !== '1.6' && hbom.specVersion !== '1.7') fail(`expected specVersion 1.6 or 1.7, got ${describe(hbom.specVersion)}`);
  const root = objectAt(objectAt(hbom, 'metadata'), 'component');
  if (root?.type !== 'device') fail(`expected metadata.component of type device, got ${describe(root?.type)}`);
  const budget = { left: MAX_COMPONENTS };
  const own = [...listAt(root, 'components', budget), ...listAt(hbom, 'components', budget)];
  const host = { role: 'host', device: readDevice(root, own), parts: [] };
  const attached: OpenUnit[] = [];
  for (const component of own) readBelow(component, { owner: host, attached, budget, depth: 1 });
  return { host, attached };
}

interface OpenUnit extends RawUnit {
  readonly parts: RawDevice[];
}

/** Where in the BOM the reading is: whose part a device is that is not itself attached. */
interface Place {
  readonly owner: OpenUnit;
  readonly attached: OpenUnit[];
  readonly budget: { left: number };
  readonly depth: number;
}

function readBelow(component: JsonObject, place: Place): void {
  const { owner, attached, budget, depth } = place;
  if (depth > MAX_NESTING) fail(`expected at most ${String(MAX_NESTING)} levels of components, got more`);
  if (component.type !== 'device') return;
  const inner = listAt(component, 'components', budget);
  const device = readDevice(component, inner);
  const role = roleOf(component);
  const unit = role !== undefined && ATTACHED_ROLES.includes(role) ? { role, device, parts: [] } : undefined;
  if (unit === undefined) owner.parts.push(device);
  else attached.push(unit);
  for (const each of inner) readBelow(each, { owner: unit ?? owner, attached, budget, depth: depth + 1 });
}

function readDevice(device: JsonObject, inner: readonly JsonObject[]): RawDevice {
  return {
    vendor: knownFact(textAt(objectAt(device, 'manufacturer'), 'name') ?? textAt(objectAt(device, 'supplier'), 'name')),
    model: knownFact(textAt(device, 'name')),
    revision: knownFact(textAt(device, 'version')),
    arch: knownFact(property(device, 'sealane:arch')),
    serial: knownFact(property(device, 'sealane:serial') ?? property(device, 'cdx:device:serialNumber')),
    slot: knownFact(property(device, 'sealane:slot') ?? property(device, 'sealane:slots')),
    isCpu: isCpu(device),
    firmware: inner.flatMap(readFirmware),
  };
}

/** A firmware without a version is not a fact; one without a name is kept under its kind. */
function readFirmware(component: JsonObject): RawDevice['firmware'] {
  if (component.type !== 'firmware') return [];
  const version = knownFact(textAt(component, 'version'));
  return version === undefined ? [] : [{ name: knownFact(textAt(component, 'name')) ?? 'firmware', version }];
}

/** CycloneDX has no field for a processor: its function says so, or the reference that our and others' collectors give it. */
function isCpu(device: JsonObject): boolean {
  const role = roleOf(device);
  if (role !== undefined) return role === 'cpu' || role === 'processor';
  return /^cpu\d*$/i.test(textAt(device, 'bom-ref') ?? '');
}

function roleOf(device: JsonObject): string | undefined {
  return property(device, 'cdx:device:function')?.trim().toLowerCase();
}

/** The value of a property, by name; the first one where it stands twice. */
function property(device: JsonObject, name: string): string | undefined {
  const list = device.properties;
  if (!Array.isArray(list)) return undefined;
  return textAt(
    (list as readonly JsonValue[]).find((each): each is JsonObject => isObject(each) && each.name === name),
    'value',
  );
}

function listAt(parent: JsonObject, key: string, budget: { left: number }): readonly JsonObject[] {
  const value = parent[key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) return fail(`expected ${key} to be a list, got ${describe(value)}`);
  budget.left -= value.length;
  if (budget.left < 0) fail(`expected at most ${String(MAX_COMPONENTS)} components, got more`);
  const objects = value.filter(isObject);
  if (objects.length !== value.length) fail(`expected every entry of ${key} to be an object`);
  return objects;
}

function objectAt(parent: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = parent?.[key];
  return isObject(value) ? value : undefined;
}

function textAt(parent: JsonObject | undefined, key: string): string | undefined {
  const value = parent?.[key];
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
}

function fail(why: string): never {
  throw new CoreError('HBOM_MALFORMED', `read hardware inventory: ${why}`);
}
