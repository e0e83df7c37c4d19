/** Tested hardware: every machine of the rollout, and every device attached to one, is of a class on which this release passed. */
import type { Check } from '@sealane/core';
import { z } from 'zod';
import type { TestResult } from '../reports/test-result.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, type Selection, whyNone } from './evidence-selection.js';
import { defineGate, type GateContext } from './gate.js';
import { describeSites, judgeSites, refusalOf } from './hardware-sites.js';
import { countUnits, type TestedDevices, testedDevices } from './hardware-units.js';
import { outstandingFailures, selectRuns } from './test-runs.js';

const configSchema = z.strictObject({
  /** Sites that are not covered, or never told their hardware: left out and counted, or a reason to refuse. */
  unknown: z.enum(['exclude', 'refuse']).default('exclude'),
  /** Distinct units that must have passed on a class before it counts as tested. */
  minUnits: z.int().min(1).max(1000).default(1),
  /** Days after which a site's inventory counts as unknown. */
  inventoryMaxAgeDays: z.number().positive().max(3660).exactOptional(),
});

type Config = z.output<typeof configSchema>;

/** `hardware` gate. */
export const hardwareGate = defineGate({
  id: 'hardware',
  summary: 'passed its tests on the hardware of the sites',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateHardware,
});

function evaluateHardware(context: GateContext, config: Config): Check {
  const expected = `passing tests on the hardware of ${context.fleet.length} sites, ${config.minUnits} units a class, unknown: ${config.unknown}`;
  const remedy = `sealane evidence add ${context.release} --tests junit.xml --hardware hbom.json --key LAB`;
  const selection = selectRuns(context, context.policy.signers.hardware);
  const failures = outstandingFailures(context, selection.accepted);
  const tested = testedDevices(context, selection.accepted, failures);
  const units = countUnits(tested.devices);
  const blamed = failures.filter(({ predicate }) => predicate.hardware !== undefined);
  const evidence = digestsOf([...tested.devices.map(({ run }) => run), ...blamed]);
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code'>): Check => failed(hardwareGate.id, { expected, remedy, evidence, ...words });
  if (units < config.minUnits) return refuse(tooFewUnits(selection, tested));
  const sites = judgeSites(context, config, tested.devices);
  const refusal = refusalOf(sites, config);
  const actual = describeSites(sites, units);
  if (refusal !== undefined) return refuse({ actual: `${refusal}: ${actual}`, code: 'HARDWARE_UNCOVERED' });
  return passed(hardwareGate.id, { expected, actual, evidence });
}

function tooFewUnits(selection: Selection<TestResult>, { devices, problems }: TestedDevices): Pick<RefusalWords, 'actual' | 'code'> {
  const [problem] = problems;
  if (problem !== undefined) return { actual: `${countUnits(devices)} tested units: ${problem.why}`, code: problem.code };
  if (devices.length > 0) return { actual: `${countUnits(devices)} tested units`, code: 'HARDWARE_UNCOVERED' };
  if (selection.accepted.length > 0) return { actual: 'no passing test result with a hardware inventory', code: 'HARDWARE_UNCOVERED' };
  const { code, why } = whyNone(selection, 'test result with a hardware inventory', 'HARDWARE_UNCOVERED');
  return { actual: why, code };
}
