/**
 * Which device is covered by which tested unit: by its facts, or by an equivalence that an owner signed and that has not expired.
 *
 * Ten thousand sites are a few hundred classes: equal devices are answered once, and a device is compared with what could cover it only.
 */
import {
  compareHardware,
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

/** `at` (RFC 3339) is the witnessed time at which equivalences are judged; more than `enough` units are not counted. */
export interface CoverageQuestion {
  readonly tested: readonly TestedDevice[];
  readonly policy: PolicyHardware;
  readonly at: string;
  readonly enough: number;
}

/** Units that an uncovered device is compared with, those of its model first, to say what keeps the nearest from covering it. */
const MAX_COMPARED = 16;

/** What can be required of a device that is attached: it has no architecture and no processor to tell. */
const DEVICE_FACTS: readonly string[] = ['vendor', 'model', 'revision', 'firmware'];

/** The facts of a device as one text: equal facts, equal text. */
export function factsText(facts: HardwareFacts): string {
  return JSON.stringify(facts);
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

/** What keeps a unit from covering a device, on one line. */
function describeComparison({ differences, unknown }: HardwareComparison): string {
  const parts = differences.map(({ fact, tested, site }) => `${fact}: tested ${tested}, here ${site}`);
  return [...parts, ...(unknown.length > 0 ? [`unknown: ${unknown.join(', ')}`] : [])].join('; ');
}

interface Index {
  readonly byFacts: Groups;
  readonly byModel: Groups;
  /** By the facts that are required of a machine, and of an attached device. */
  readonly byRequired: (kind: 'host' | 'attached') => Groups;
  /** By class; empty where no equivalence holds. */
  readonly byClass: Groups;
  readonly equivalences: readonly (readonly Digest[])[];
}

type Groups = ReadonlyMap<string, readonly TestedDevice[]>;

function indexOf({ tested, policy, at }: CoverageQuestion): Index {
  const equivalences = policy.equivalences
    .filter(({ expiresAt }) => timeToSeconds(expiresAt) > timeToSeconds(at))
    .map(({ classes }) => classes);
  const required = new Map<string, Groups>();
  const byRequired = (kind: 'host' | 'attached'): Groups => {
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

function compareAll({ tested, policy, enough }: CoverageQuestion, index: Index, device: DeviceKind): Coverage {
  const { facts: site } = device;
  const require = requiredFacts(device, policy);
  const compare = ({ facts }: TestedDevice): HardwareComparison => compareHardware({ tested: facts, site, require });
  const units = new Set<string>();
  // equal in all that is known: what is not known is all that can keep them from covering it
  if (unknownFacts([site], require).length === 0) for (const { unit } of index.byFacts.get(factsText(site)) ?? []) units.add(unit);
  if (units.size >= enough) return { units: units.size, why: '' };
  const likely = index.byRequired(kindOf(device)).get(requiredText(site, require)) ?? [];
  for (const each of likely) if (compare(each).covered) units.add(each.unit);
  for (const each of equivalentTo(site, index)) if (compare(each).unknown.length === 0) units.add(each.unit);
  if (units.size >= enough) return { units: units.size, why: '' };
  const near = [...likely, ...(index.byModel.get(modelText(site)) ?? tested)].slice(0, MAX_COMPARED);
  const [nearest] = near.map(compare).sort((left, right) => weight(left) - weight(right));
  return { units: units.size, why: nearest === undefined ? 'no tested unit' : describeComparison(nearest) };
}

function kindOf({ role }: DeviceKind): 'host' | 'attached' {
  return role === 'host' ? 'host' : 'attached';
}

function equivalentTo(facts: HardwareFacts, { equivalences, byClass }: Index): readonly TestedDevice[] {
  if (equivalences.length === 0) return [];
  const own = hardwareClass(facts);
  const others = new Set(equivalences.filter((classes) => classes.includes(own)).flat());
  return [...others].flatMap((other) => byClass.get(other) ?? []);
}

function modelText({ vendor, model }: HardwareFacts): string {
  return JSON.stringify([vendor, model]);
}

function grouped(tested: readonly TestedDevice[], name: (device: TestedDevice) => string): Groups {
  const groups = new Map<string, TestedDevice[]>();
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
