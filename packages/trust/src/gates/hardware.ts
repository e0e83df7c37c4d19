/** Tested hardware: every machine of the rollout is of a class on which this release passed, or is counted out by name. */
import { type Check, compareHardware, type Digest, type JsonObject, hardwareFacts, SealaneError } from '@sealane/core';
import { z } from 'zod';
import { timeToSeconds } from '../time.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, type Selection, whyNone } from './evidence-selection.js';
import { defineGate, type FleetSite, type GateContext, type Problem } from './gate.js';
import { type Coverage, coverageOf, type TestedUnit } from './hardware-coverage.js';
import { outstandingFailures, selectRuns, soundReport, type TestRun } from './test-runs.js';
import type { TestResult } from '../reports/test-result.js';

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

/** A unit, and the run that vouches for it. */
interface VouchedUnit extends TestedUnit {
  readonly run: TestRun;
}

function evaluateHardware(context: GateContext, config: Config): Check {
  const expected = `passing tests on the hardware of ${context.fleet.length} sites, ${config.minUnits} units a class, unknown: ${config.unknown}`;
  const remedy = `sealane evidence add ${context.release} --tests junit.xml --hardware hbom.json --key LAB`;
  const selection = selectRuns(context, context.policy.signers.hardware);
  const { units, problems } = testedUnits(context, selection);
  const failures = outstandingFailures(context, selection.accepted).filter(({ predicate }) => predicate.hardware !== undefined);
  const evidence = digestsOf([...units.map(({ run }) => run), ...failures]);
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code'>): Check => failed(hardwareGate.id, { expected, remedy, evidence, ...words });
  if (new Set(units.map(({ unit }) => unit)).size < config.minUnits) return refuse(tooFewUnits(selection, units, problems));
  const sites = context.fleet.map((site) => ({ site: site.site, ...judgeSite(context, config, units, site) }));
  const refusal = judgeFleet(sites, config);
  const actual = describeSites(sites, units);
  if (refusal !== undefined) return refuse({ actual: `${refusal}: ${actual}`, code: 'HARDWARE_UNCOVERED' });
  return passed(hardwareGate.id, { expected, actual, evidence });
}

/**
 * The units on which the release passed: the newest sound run of each unit, with an inventory that knows what policy requires,
 * and no failure on that class since.
 */
function testedUnits(
  context: GateContext,
  selection: Selection<TestResult>,
): { readonly units: readonly VouchedUnit[]; readonly problems: readonly Problem[] } {
  const failures = outstandingFailures(context, selection.accepted);
  const units = new Map<string, VouchedUnit>();
  const problems: Problem[] = [];
  for (const run of selection.accepted) {
    const read = readUnit(context, run, failures);
    if (read === undefined) continue;
    if ('code' in read) problems.push(read);
    else units.set(`${read.unit} ${run.predicate.suite}`, read);
  }
  return { units: [...units.values()], problems };
}

/** The unit of one run; a problem when it does not count; undefined when the run names no hardware or did not pass. */
function readUnit(context: GateContext, run: TestRun, failures: readonly TestRun[]): VouchedUnit | Problem | undefined {
  const { from, predicate } = run;
  if (predicate.hardware === undefined || predicate.result !== 'PASSED') return undefined;
  const report = soundReport(context, run);
  if (!report.ok) return report.problem;
  const hardware = context.hardware(predicate.hardware);
  if (!hardware.ok) return hardware.problem;
  const { facts, classDigest, serial } = hardware.value;
  const unknown = compareHardware({ tested: facts, site: facts, require: context.policy.hardware.require }).unknown;
  if (unknown.length > 0) return { code: 'HARDWARE_UNCOVERED', why: `the inventory of ${from.digest} does not know ${unknown.join(', ')}` };
  if (failures.some((failure) => isOnClass(context, failure, classDigest)))
    return { code: 'EVIDENCE_RESULT', why: `${predicate.suite} failed on this class (${classDigest})` };
  return { facts, unit: serial ?? classDigest, run };
}

function isOnClass(context: GateContext, { predicate }: TestRun, classDigest: Digest): boolean {
  // A failure that names no hardware, or whose inventory is gone, may have been on this class.
  const hardware = predicate.hardware === undefined ? undefined : context.hardware(predicate.hardware);
  return hardware === undefined || !hardware.ok || hardware.value.classDigest === classDigest;
}

function tooFewUnits(
  selection: Selection<TestResult>,
  units: readonly VouchedUnit[],
  problems: readonly Problem[],
): Pick<RefusalWords, 'actual' | 'code'> {
  const [problem] = problems;
  if (problem !== undefined)
    return { actual: `${new Set(units.map(({ unit }) => unit)).size} tested units: ${problem.why}`, code: problem.code };
  if (units.length > 0) return { actual: `${new Set(units.map(({ unit }) => unit)).size} tested units`, code: 'HARDWARE_UNCOVERED' };
  if (selection.accepted.length > 0) return { actual: 'no passing test result with a hardware inventory', code: 'HARDWARE_UNCOVERED' };
  const { code, why } = whyNone(selection, 'test result with a hardware inventory', 'HARDWARE_UNCOVERED');
  return { actual: why, code };
}

type SiteState = 'covered' | 'uncovered' | 'silent';

interface JudgedSite {
  readonly site: string;
  readonly state: SiteState;
  readonly why: string;
}

function judgeSite(context: GateContext, config: Config, tested: readonly VouchedUnit[], site: FleetSite): Omit<JudgedSite, 'site'> {
  const facts = site.hbom === null ? 'it never reported its hardware' : readFacts(site.hbom);
  if (typeof facts === 'string') return { state: 'silent', why: facts };
  if (isStale(context, config, site.reportedAt))
    return { state: 'silent', why: `its inventory is of ${site.reportedAt ?? 'an unknown time'}` };
  const coverage: Coverage = coverageOf({ site: facts, tested, policy: context.policy.hardware, at: context.time.highest });
  if (coverage.units >= config.minUnits) return { state: 'covered', why: '' };
  return { state: 'uncovered', why: coverage.units > 0 ? `covered by ${coverage.units} units only` : coverage.why };
}

function readFacts(hbom: JsonObject): ReturnType<typeof hardwareFacts> | string {
  try {
    return hardwareFacts(hbom);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return error.message;
  }
}

function isStale(context: GateContext, { inventoryMaxAgeDays }: Config, reportedAt: string | null): boolean {
  if (inventoryMaxAgeDays === undefined) return false;
  if (reportedAt === null) return true;
  const ageSeconds = timeToSeconds(context.time.highest) - timeToSeconds(reportedAt);
  return ageSeconds > inventoryMaxAgeDays * SECONDS_A_DAY;
}

const SECONDS_A_DAY = 86_400;

/** Why the fleet as a whole refuses. Leaving sites out must leave a site that could take the release. */
function judgeFleet(sites: readonly JudgedSite[], { unknown }: Config): string | undefined {
  const uncovered = sites.filter(({ state }) => state === 'uncovered').length;
  const silent = sites.filter(({ state }) => state === 'silent').length;
  if (unknown === 'refuse') {
    if (sites.length === 0) return 'no site is known, and unknown is refused';
    return uncovered + silent > 0 ? `${uncovered} sites uncovered, ${silent} unknown` : undefined;
  }
  return sites.length > 0 && uncovered === sites.length ? 'no site is covered' : undefined;
}

/** Sites named in a verdict; the counts are of all. */
const MAX_NAMED = 10;

function describeSites(sites: readonly JudgedSite[], units: readonly VouchedUnit[]): string {
  const covered = sites.filter(({ state }) => state === 'covered').length;
  const head = `${covered} of ${sites.length} sites covered by ${new Set(units.map(({ unit }) => unit)).size} tested units`;
  const others = sites.filter(({ state }) => state !== 'covered');
  const named = others.slice(0, MAX_NAMED).map(({ site, state, why }) => `${site} is ${state} (${why})`);
  const rest = others.length - named.length;
  return [head, ...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}
