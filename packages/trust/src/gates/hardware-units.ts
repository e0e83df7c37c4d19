/**
 * The units on which a release passed: each device that was there in a sound run, by an inventory of that very run which knows what
 * policy requires, unless a run on that class failed and has not been lifted.
 */
import { type Digest, type HardwareDevice, partName, unknownFacts } from '@sealane/core';
import type { GateContext, Problem } from './gate.js';
import { factsText, requiredFacts, type TestedDevice } from './hardware-coverage.js';
import { soundReport, type TestRun } from './test-runs.js';

/** A tested device, and the statements that vouch for it: the run, and what the run rests on. */
export interface VouchedDevice extends TestedDevice {
  readonly evidence: readonly Digest[];
}

/** What counts, and why some runs do not. */
export interface TestedDevices {
  readonly devices: readonly VouchedDevice[];
  readonly problems: readonly Problem[];
}

/** Further statements that a run rests on, or why it does not count. */
export type Qualify = (run: TestRun) => readonly Digest[] | Problem;

/** The newest sound run of each unit in each state and suite. `failures` are the runs that stand as failed. */
export function testedDevices(
  context: GateContext,
  runs: readonly TestRun[],
  failures: readonly TestRun[],
  qualify: Qualify,
): TestedDevices {
  const devices = new Map<string, VouchedDevice>();
  const problems: Problem[] = [];
  const blamed = blamedClasses(context, failures);
  for (const run of runs) {
    const read = readRun(context, run, blamed, qualify);
    if (read === undefined) continue;
    if ('code' in read) problems.push(read);
    else for (const device of read) devices.set(JSON.stringify([device.unit, factsText(device.facts), run.predicate.suite]), device);
  }
  return { devices: [...devices.values()], problems };
}

/** How many different units there are among these. */
export function countUnits(devices: readonly TestedDevice[]): number {
  return new Set(devices.map(({ unit }) => unit)).size;
}

/** The devices of one run; a problem when it does not count; undefined when it names no hardware or did not pass. */
function readRun(
  context: GateContext,
  run: TestRun,
  blamed: BlamedClasses,
  qualify: Qualify,
): readonly VouchedDevice[] | Problem | undefined {
  const { from, predicate } = run;
  if (predicate.hardware === undefined || predicate.result !== 'PASSED') return undefined;
  const report = soundReport(context, run);
  if (!report.ok) return report.problem;
  const hardware = context.hardware(predicate.hardware);
  if (!hardware.ok) return hardware.problem;
  const rests = qualify(run);
  if ('code' in rests) return rests;
  const { devices } = hardware.value;
  const unknown = devices.slice(0, 1).flatMap((host) => unknownOf(context, host));
  if (unknown.length > 0) return { code: 'HARDWARE_UNCOVERED', why: `the inventory of ${from.digest} does not know ${unknown.join(', ')}` };
  // a device that is not known well enough covers nothing; what it was attached to was tested all the same
  const known = devices.filter((device) => unknownOf(context, device).length === 0);
  const standing = known.filter(({ facts }) => blamed !== 'all' && !(blamed.size > 0 && blamed.has(factsText(facts))));
  if (standing.length === 0)
    return {
      code: 'EVIDENCE_RESULT',
      why: `${predicate.suite} failed on the hardware of ${from.digest}, and no later pass there lifts it`,
    };
  return standing.map((device) => ({ facts: device.facts, unit: unitOf(device), evidence: [from.digest, ...rests] }));
}

function unknownOf({ policy }: GateContext, device: HardwareDevice): readonly string[] {
  return unknownFacts([device.facts], requiredFacts(device, policy.hardware));
}

/** The word for a unit: what it is and its serial; devices without one are one unit for each class. */
function unitOf({ facts, serial }: HardwareDevice): string {
  return serial === undefined ? factsText(facts) : JSON.stringify([partName({ ...facts, revision: undefined }), serial]);
}

/** Classes that were there in a run which failed: any of them may be what it failed on. `all` when a failure does not say where it was. */
type BlamedClasses = ReadonlySet<string> | 'all';

function blamedClasses(context: GateContext, failures: readonly TestRun[]): BlamedClasses {
  const blamed = new Set<string>();
  for (const { predicate } of failures) {
    const hardware = predicate.hardware === undefined ? undefined : context.hardware(predicate.hardware);
    if (hardware?.ok !== true) return 'all';
    for (const { facts } of hardware.value.devices) blamed.add(factsText(facts));
  }
  return blamed;
}
