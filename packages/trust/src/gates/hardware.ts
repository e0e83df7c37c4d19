/** Tested hardware: every machine of the rollout, and every device attached to one, is of a class on which this release passed. */
import { type Check, counted, type Digest, type JsonValue } from '@sealane/core';
import { z } from 'zod';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, whyNone } from './evidence-selection.js';
import { describeGranted, type Granted, grantedForSite } from './exceptions.js';
import { defineGate, type GateContext } from './gate.js';
import { describeSites, type JudgedSite, judgeSites, refusalOf } from './hardware-sites.js';
import { countUnits, type Qualify, type TestedDevices, testedDevices } from './hardware-units.js';
import { rigProblem } from './rig-rules.js';
import { readRigs, recallsOf, type RigBook, rigOfRun, withRigKeys } from './rigs.js';
import { outstandingFailures, selectRuns, type TestRun } from './test-runs.js';

const MAX_DAYS = 3660;

const configSchema = z
  .strictObject({
    /** Sites that are not covered, or never told their hardware: left out and counted, or a reason to refuse. */
    unknown: z.enum(['exclude', 'refuse']).default('exclude'),
    /** Distinct units that must have passed on a class before it counts as tested. */
    minUnits: z.int().min(1).max(1000).default(1),
    /** Days after which a site's inventory counts as unknown. */
    inventoryMaxAgeDays: z.number().positive().max(MAX_DAYS).exactOptional(),
    /** Whose runs count: those of the labs that policy names, or those that an enrolled rig signed itself. */
    rigs: z.enum(['any', 'required']).default('any'),
    /** Days between the last build of a rig from its template and the end of a run on it. */
    rebuiltWithinDays: z.number().positive().max(MAX_DAYS).exactOptional(),
    /** A rig whose inventory in the run is not the one it was built with. */
    drift: z.enum(['refuse', 'allow']).default('refuse'),
  })
  .refine(
    ({ rigs, rebuiltWithinDays }) => rigs === 'required' || rebuiltWithinDays === undefined,
    'rebuiltWithinDays needs rigs: required',
  );

type Config = z.output<typeof configSchema>;

/** The gate's settings, read. @throws TrustError `CONFIG_INVALID` */
export function hardwareRules(settings: JsonValue): Config {
  hardwareGate.check(settings);
  return configSchema.parse(settings);
}

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
  const expected = describeWish(context, config);
  const signer = config.rigs === 'required' ? 'RIG' : 'LAB';
  const remedy = `sealane evidence add ${context.release} --tests junit.xml --hardware hbom.json --key ${signer}`;
  const found = findTested(context, config);
  const { tested, failures, recalls } = found;
  const units = countUnits(tested.devices);
  const blamed = failures.filter(({ predicate }) => predicate.hardware !== undefined);
  const evidence = [...tested.devices.flatMap((device) => device.evidence), ...digestsOf(blamed)];
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code'>): Check =>
    failed(hardwareGate.id, { expected, remedy, evidence: [...evidence, ...recalls], ...words });
  if (units < config.minUnits) return refuse(tooFewUnits(found));
  const { sites, granted } = exceptSites(context, judgeSites(context, config, tested.devices));
  const refusal = refusalOf(sites, config);
  const actual = [describeSites(sites, units), ...new Set(granted.map(describeGranted))].join('; ') + describeProblems(tested);
  if (refusal !== undefined) return refuse({ actual: `${refusal}: ${actual}`, code: 'HARDWARE_UNCOVERED' });
  return passed(hardwareGate.id, { expected, actual, evidence: [...evidence, ...granted.flatMap(({ signatures }) => signatures)] });
}

/** Sites that people let through by name count as covered. */
function exceptSites(
  context: GateContext,
  judged: readonly JudgedSite[],
): { readonly sites: readonly JudgedSite[]; readonly granted: readonly Granted[] } {
  const granted: Granted[] = [];
  const sites = judged.map((site): JudgedSite => {
    const found = site.state === 'covered' ? undefined : grantedForSite(context, site.site);
    if (found === undefined) return site;
    granted.push(found);
    return { ...site, state: 'covered' };
  });
  return { sites, granted };
}

function describeWish({ fleet }: GateContext, { minUnits, unknown, rigs, rebuiltWithinDays, drift }: Config): string {
  const parts = [
    `passing tests on the hardware of ${counted(fleet.length, 'site')}, ${counted(minUnits, 'unit')} a class, unknown: ${unknown}`,
  ];
  if (rigs === 'required') parts.push('on enrolled rigs');
  if (rebuiltWithinDays !== undefined) parts.push(`rebuilt within ${counted(rebuiltWithinDays, 'day')}`);
  if (rigs === 'required' && drift === 'refuse') parts.push('free of drift');
  return parts.join(', ');
}

/** What was tested, what stands as failed, which recalls took runs away; `why` says why there is no run at all. */
interface Found {
  readonly tested: TestedDevices;
  readonly failures: readonly TestRun[];
  readonly recalls: readonly Digest[];
  readonly why: Pick<RefusalWords, 'actual' | 'code'>;
}

/** The units on which the release passed, by the runs that count; see `Found`. */
export function findTested(outer: GateContext, config: Config): Found {
  const book = readRigs(outer);
  const context = withRigKeys(outer, book);
  const [rigs, labs] = [Object.keys(book.keys), context.policy.signers.hardware];
  const counting = config.rigs === 'required' ? rigs : labs;
  const selection = selectRuns(context, counting);
  // a failure that any of them signed stands; what was recalled says nothing any more, neither good nor bad
  const said = config.rigs === 'required' ? selectRuns(context, [...rigs, ...labs]).accepted : selection.accepted;
  const failures = outstandingFailures(
    context,
    said.filter((run) => recallsOf(context, book, run).length === 0),
  );
  const tested = testedDevices(context, selection.accepted, failures, qualifier(context, book, config));
  const none = whyNone(selection, 'test result with a hardware inventory', 'HARDWARE_UNCOVERED');
  const why: Found['why'] =
    selection.accepted.length > 0
      ? { actual: 'no passing test result with a hardware inventory', code: 'HARDWARE_UNCOVERED' }
      : { actual: none.why, code: none.code };
  return { tested, failures, recalls: selection.accepted.flatMap((run) => digestsOf(recallsOf(context, book, run))), why };
}

function qualifier(context: GateContext, book: RigBook, config: Config): Qualify {
  return (run) => {
    const [recall] = recallsOf(context, book, run);
    if (recall !== undefined)
      return { code: 'EVIDENCE_RIG', why: `what ${run.from.digest} ran on was recalled: ${recall.predicate.reason}` };
    if (config.rigs === 'any') return [];
    const rig = rigOfRun(book, run);
    if (rig === undefined) return { code: 'EVIDENCE_RIG', why: `${run.from.digest} is signed by a key that was no rig's then` };
    return rigProblem(context, run, rig, config) ?? digestsOf([rig.record, ...(rig.rebuild === undefined ? [] : [rig.rebuild])]);
  };
}

function tooFewUnits({ tested: { devices, problems }, why }: Found): Pick<RefusalWords, 'actual' | 'code'> {
  const [problem] = problems;
  if (problem !== undefined) return { actual: `${counted(countUnits(devices), 'tested unit')}: ${problem.why}`, code: problem.code };
  return devices.length > 0 ? { actual: counted(countUnits(devices), 'tested unit'), code: 'HARDWARE_UNCOVERED' } : why;
}

/** Runs that do not count are named also where others do: they may be why a site is not covered. */
function describeProblems({ problems: [first, ...others] }: TestedDevices): string {
  if (first === undefined) return '';
  return `; ${1 + others.length === 1 ? '1 run does' : `${1 + others.length} runs do`} not count: ${first.why}${others.length > 0 ? ' …' : ''}`;
}
