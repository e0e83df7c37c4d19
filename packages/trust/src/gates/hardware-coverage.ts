/**
 * Which device is covered by which tested unit: by its facts, or by an equivalence that an owner signed and that has not expired.
 *
 * Ten thousand sites are a few hundred classes: equal devices are answered once, and a device is compared with what could cover it only.
 */
import {
  compareHardware,
  coversHardware,
  DEFAULT_REQUIRED_FACTS,
  type DeviceKind,
  type Digest,
  type HardwareComparison,
  hardwareClass,
  type HardwareFacts,
  requiredText,
  unknownFacts,
} from '@sealane/core';
import type { PolicyHardware } from '../policy/policy-types.js';
import { timeToSeconds } from '../time.js';

/** A device that was tested: its facts, and a word that tells it from other units. */
export interface TestedDevice {
  readonly facts: HardwareFacts;
  readonly unit: string;
}

/** By how many distinct units a device is covered, and what keeps the nearest other unit from covering it. */
export interface Coverage {
  readonly units: number;
  readonly why: string;
}

/** What was tested, and the witnessed time (RFC 3339) at which equivalences are judged. */
export interface Tested<Device extends TestedDevice = TestedDevice> {
  readonly tested: readonly Device[];
  readonly policy: PolicyHardware;
  readonly at: string;
}

/** More than `enough` units are not counted. */
export interface CoverageQuestion extends Tested {
  readonly enough: number;
}

/** Units that an uncovered device is compared with, those of its model first, to say what keeps the nearest from covering it. */
const MAX_COMPARED = 16;

/** What can be required of a device that is attached: it has no architecture and no processor to tell. */
const DEVICE_FACTS: readonly string[] = ['vendor', 'model', 'revision', 'firmware'];

/** One machine is compared with hundreds: its text is made once. */
const factsTexts = new WeakMap<HardwareFacts, string>();

/** The facts of a device as one text: equal facts, equal text. */
export function factsText(facts: HardwareFacts): string {
  const text = factsTexts.get(facts) ?? JSON.stringify(facts);
  factsTexts.set(facts, text);
  return text;
}

/** What policy requires to be known of a device; the default facts where it requires none of those that such a device has. */
export function requiredFacts({ role }: Pick<DeviceKind, 'role'>, { require }: PolicyHardware): readonly string[] {
  const wanted = role === 'host' ? require : require.filter((fact) => DEVICE_FACTS.includes(fact));
  return wanted.length === 0 ? DEFAULT_REQUIRED_FACTS : wanted;
}

/**
 * Compares one device after another with everything tested.
 *
 * A required fact that is unknown on either side is never covered, not by an equivalence either.
 */
export function coverageOf(question: CoverageQuestion): (device: DeviceKind) => Coverage {
  const index = indexOf(question);
  const known = new Map<string, Coverage>();
  return (device) => {
    const name = `${kindOf(device)} ${factsText(device.facts)}`;
    const coverage = known.get(name) ?? compareAll(question, index, device);
    known.set(name, coverage);
    return coverage;
  };
}

/** All that covers a device, each once, in the order of `tested`; where nothing does, what keeps the nearest from it. */
export interface Covering<Device> {
  readonly devices: readonly Device[];
  readonly why: string;
}

/** As `coverageOf`, but for all that covers a device, however many. */
export function coveringOf<Device extends TestedDevice>(question: Tested<Device>): (device: DeviceKind) => Covering<Device> {
  const index = indexOf(question);
  return (device) => {
    const covering = new Set(covers(question, index, device));
    if (covering.size === 0) return { devices: [], why: whyNot(question, index, device) };
    return { devices: question.tested.filter((each) => covering.has(each)), why: '' };
  };
}

/** What keeps a unit from covering a device, on one line. */
function describeComparison({ differences, unknown }: HardwareComparison): string {
  const parts = differences.map(({ fact, tested, site }) => `${fact}: tested ${tested}, here ${site}`);
  return [...parts, ...(unknown.length > 0 ? [`unknown: ${unknown.join(', ')}`] : [])].join('; ');
}

interface Index<Device> {
  readonly byFacts: Groups<Device>;
  readonly byModel: Groups<Device>;
  /** By the facts that are required of a machine, and of an attached device. */
  readonly byRequired: (kind: 'host' | 'attached') => Groups<Device>;
  /** By class; empty where no equivalence holds. */
  readonly byClass: Groups<Device>;
  readonly equivalences: readonly (readonly Digest[])[];
}

type Groups<Device> = ReadonlyMap<string, readonly Device[]>;

function indexOf<Device extends TestedDevice>({ tested, policy, at }: Tested<Device>): Index<Device> {
  const equivalences = policy.equivalences
    .filter(({ expiresAt }) => timeToSeconds(expiresAt) > timeToSeconds(at))
    .map(({ classes }) => classes);
  const required = new Map<string, Groups<Device>>();
  const byRequired = (kind: 'host' | 'attached'): Groups<Device> => {
    const require = requiredFacts({ role: kind }, policy);
    const groups = required.get(kind) ?? grouped(tested, ({ facts }) => requiredText(facts, require));
    required.set(kind, groups);
    return groups;
  };
  return {
    byFacts: grouped(tested, ({ facts }) => factsText(facts)),
    byModel: grouped(tested, ({ facts }) => modelText(facts)),
    byRequired,
    byClass: equivalences.length === 0 ? new Map() : grouped(tested, ({ facts }) => hardwareClass(facts)),
    equivalences,
  };
}

function compareAll(question: CoverageQuestion, index: Index<TestedDevice>, device: DeviceKind): Coverage {
  const units = new Set<string>();
  for (const { unit } of covers(question, index, device)) {
    units.add(unit);
    if (units.size >= question.enough) return { units: units.size, why: '' };
  }
  return { units: units.size, why: whyNot(question, index, device) };
}

/** What keeps the nearest unit from covering a device. */
function whyNot<Device extends TestedDevice>(question: Tested<Device>, index: Index<Device>, device: DeviceKind): string {
  const reasons = reasonsOf(question);
  const name = `${kindOf(device)} ${factsText(device.facts)}`;
  const why = reasons.get(name) ?? nearestWhy(question, index, device);
  reasons.set(name, why);
  return why;
}

/** What was found of these units under this policy: a report asks of each kind of device twice. */
const knownReasons = new WeakMap<readonly TestedDevice[], { readonly policy: PolicyHardware; readonly reasons: Map<string, string> }>();

function reasonsOf({ tested, policy }: Tested): Map<string, string> {
  const known = knownReasons.get(tested);
  if (known?.policy === policy) return known.reasons;
  const reasons = new Map<string, string>();
  knownReasons.set(tested, { policy, reasons });
  return reasons;
}

function nearestWhy<Device extends TestedDevice>({ tested, policy }: Tested<Device>, index: Index<Device>, device: DeviceKind): string {
  const near = [...likelyFor(index, device, policy), ...(index.byModel.get(modelText(device.facts)) ?? tested)].slice(0, MAX_COMPARED);
  const compared = near.map((each) => compareTo(each, device, policy));
  const [nearest] = compared.sort((left, right) => weight(left) - weight(right));
  return nearest === undefined ? 'no tested unit' : describeComparison(nearest);
}

/** What covers a device; some of it perhaps twice. */
function* covers<Device extends TestedDevice>({ policy }: Tested<Device>, index: Index<Device>, device: DeviceKind): Generator<Device> {
  const { facts } = device;
  const require = requiredFacts(device, policy);
  // equal in all that is known: what is not known is all that can keep them from covering it
  if (unknownFacts([facts], require).length === 0) yield* index.byFacts.get(factsText(facts)) ?? [];
  for (const each of likelyFor(index, device, policy)) if (coversHardware({ tested: each.facts, site: facts, require })) yield each;
  for (const each of equivalentTo(facts, index)) if (unknownFacts([each.facts, facts], require).length === 0) yield each;
}

/** Equal in what is required: nothing else can cover it but by an equivalence. */
function likelyFor<Device>(index: Index<Device>, device: DeviceKind, policy: PolicyHardware): readonly Device[] {
  return index.byRequired(kindOf(device)).get(requiredText(device.facts, requiredFacts(device, policy))) ?? [];
}

function compareTo({ facts: tested }: TestedDevice, device: DeviceKind, policy: PolicyHardware): HardwareComparison {
  return compareHardware({ tested, site: device.facts, require: requiredFacts(device, policy) });
}

function kindOf({ role }: DeviceKind): 'host' | 'attached' {
  return role === 'host' ? 'host' : 'attached';
}

function equivalentTo<Device>(facts: HardwareFacts, { equivalences, byClass }: Index<Device>): readonly Device[] {
  if (equivalences.length === 0) return [];
  const own = hardwareClass(facts);
  const others = new Set(equivalences.filter((classes) => classes.includes(own)).flat());
  return [...others].flatMap((other) => byClass.get(other) ?? []);
}

function modelText({ vendor, model }: HardwareFacts): string {
  return JSON.stringify([vendor, model]);
}

function grouped<Device extends TestedDevice>(tested: readonly Device[], name: (device: Device) => string): Groups<Device> {
  const groups = new Map<string, Device[]>();
  for (const device of tested) {
    const key = name(device);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [device]);
    else group.push(device);
  }
  return groups;
}

function weight({ differences, unknown }: HardwareComparison): number {
  return differences.length + unknown.length;
}
