/** What the `hardware` gate decides by, in full: each kind of device at the sites, the units that cover it, and the sites that have it. For auditors. */
import { type DeviceKind, type Digest, hardwareClass, type JsonValue, partName } from '@sealane/core';
import { createContext } from './gate-context.js';
import type { GateContext, GateInput } from './gate.js';
import { findTested, hardwareRules } from './hardware.js';
import { coveringOf, factsText } from './hardware-coverage.js';
import { type JudgedSite, judgeSites } from './hardware-sites.js';
import type { VouchedDevice } from './hardware-units.js';

/** A class of device that sites have; `runs` are the statements of the runs that cover it, `why` what keeps the nearest other unit from it when none does. */
export interface CoveredClass {
  readonly class: Digest;
  readonly role: string;
  readonly label: string;
  readonly units: readonly string[];
  readonly runs: readonly Digest[];
  readonly sites: readonly string[];
  readonly why: string;
}

/** The report; `sites` as the gate judges them, before any exception. `problems`: why runs do not count. */
export interface HardwareReport {
  readonly classes: readonly CoveredClass[];
  readonly sites: readonly JudgedSite[];
  readonly problems: readonly string[];
}

/** Judges the sites of `input` as the gate with these settings does. @throws TrustError `CONFIG_INVALID` settings of another shape */
export function reportHardware(input: GateInput, settings: JsonValue): HardwareReport {
  const rules = hardwareRules(settings);
  const context = createContext(input, () => []);
  const { devices, problems } = findTested(context, rules).tested;
  const coveringUnits = coveredBy(context, devices);
  return {
    classes: classesOf(context).map(({ device, sites }) => ({
      class: hardwareClass(device.facts),
      role: device.role,
      label: labelOf(device),
      ...coveringUnits(device),
      sites,
    })),
    sites: judgeSites(context, rules, devices),
    problems: problems.map(({ why }) => why),
  };
}

type CoveringUnits = Pick<CoveredClass, 'units' | 'runs' | 'why'>;

interface FoundClass {
  readonly device: DeviceKind;
  readonly sites: string[];
}

/** Each kind of device at the sites, in the order in which it is first met. */
function classesOf({ fleet }: GateContext): readonly FoundClass[] {
  const classes = new Map<string, FoundClass>();
  for (const { site, hardware } of fleet) {
    const devices = hardware === null || 'unreadable' in hardware ? [] : hardware.devices;
    for (const device of devices) {
      const name = `${device.role} ${factsText(device.facts)}`;
      const found = classes.get(name) ?? { device, sites: [] };
      if (found.sites.at(-1) !== site) found.sites.push(site);
      classes.set(name, found);
    }
  }
  return [...classes.values()];
}

function coveredBy({ policy, time }: GateContext, tested: readonly VouchedDevice[]): (device: DeviceKind) => CoveringUnits {
  const covering = coveringOf({ tested, policy: policy.hardware, at: time.highest });
  return (device) => {
    const { devices, why } = covering(device);
    return { units: [...new Set(devices.map(({ unit }) => unit))], runs: [...new Set(devices.flatMap(({ evidence }) => evidence))], why };
  };
}

function labelOf({ facts }: DeviceKind): string {
  return [partName(facts), facts.cpu, facts.arch].filter((word) => word !== undefined && word !== '').join(', ');
}
