/** Tests: enough cases passed, in the suites and cases that policy names, none failed since, not too long ago. */
import { type Check, counted } from '@sealane/core';
import { z } from 'zod';
import { caseName, type TestReport } from '../reports/test-report.js';
import { timeToSeconds } from '../time.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, whyNone } from './evidence-selection.js';
import { defineGate, type GateContext } from './gate.js';
import { describeFailure, newestOfEachSuite, outstandingFailures, selectRuns, soundReport, type TestRun } from './test-runs.js';

const count = z.int().min(0).max(500_000);
const names = z.array(z.string().min(1).max(1024)).max(1000);

const configSchema = z.strictObject({
  /** Cases that must have passed, over all suites; at least one, whatever is said. */
  minPassed: z.int().min(1).max(500_000).default(1),
  /** Suites in which a case must have passed: names of results, or of suites inside reports. */
  suites: names.default([]),
  /** Cases that must have passed: `name` or `class::name`. */
  cases: names.default([]),
  /** Cases that put a fault in (a power cut, a lost link): as `cases`, but each at its first try, whatever `flaky` says. */
  faults: names.default([]),
  maxSkipped: count.exactOptional(),
  /** Whether a case may have failed before it passed: as its tool says, or because it stands twice under one full name. */
  flaky: z.enum(['refuse', 'allow']).default('allow'),
  /** Hours between the end of a run and the witnessed time of the decision. */
  maxAgeHours: z
    .number()
    .positive()
    .max(24 * 3660)
    .exactOptional(),
});

type Config = z.output<typeof configSchema>;

/** `tests` gate. */
export const testsGate = defineGate({
  id: 'tests',
  summary: 'enough tests passed, those that policy names among them, and none failed since',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateTests,
});

/** A run with its report, read again and found to say what was signed. */
interface ReadRun {
  readonly run: TestRun;
  readonly report: TestReport;
}

function evaluateTests(context: GateContext, config: Config): Check {
  const expected = describeWish(config);
  const remedy = `sealane evidence add ${context.release} --tests REPORT --key LAB`;
  const selection = selectRuns(context, context.policy.signers.tests);
  const failures = outstandingFailures(context, selection.accepted);
  const newest = newestOfEachSuite(selection.accepted);
  const evidence = digestsOf([...failures, ...newest]);
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code'>): Check => failed(testsGate.id, { expected, remedy, evidence, ...words });
  if (failures.length > 0) return refuse({ actual: failures.map(describeFailure).join('; '), code: 'EVIDENCE_RESULT' });
  if (newest.length === 0) {
    const { code, why } = whyNone(selection, 'test result', 'EVIDENCE_RESULT');
    return refuse({ actual: why, code });
  }
  const reads = newest.map((run) => ({ run, read: soundReport(context, run) }));
  for (const { read } of reads) if (!read.ok) return refuse({ actual: read.problem.why, code: read.problem.code });
  const runs = reads.flatMap(({ run, read }) => (read.ok ? [{ run, report: read.value }] : []));
  const lacks = [...lacking(runs, config), ...staleness(context, runs, config)];
  if (lacks.length > 0) return refuse({ actual: lacks.join('; '), code: 'EVIDENCE_RESULT' });
  const total = sum(runs, ({ report }) => report.counts.passed);
  return passed(testsGate.id, {
    expected,
    actual: `${total} passed in ${runs.map(({ run }) => run.predicate.suite).join(', ')}`,
    evidence,
  });
}

function describeWish({ minPassed, suites, cases, faults, flaky, maxAgeHours }: Config): string {
  const parts = [`at least ${minPassed} passed, none failed`];
  if (suites.length > 0) parts.push(`suites ${suites.join(', ')}`);
  if (cases.length > 0) parts.push(`cases ${cases.join(', ')}`);
  if (faults.length > 0) parts.push(`fault cases ${faults.join(', ')} at the first try`);
  if (flaky === 'refuse') parts.push('none flaky');
  if (maxAgeHours !== undefined) parts.push(`at most ${counted(maxAgeHours, 'hour')} old`);
  return parts.join('; ');
}

function lacking(runs: readonly ReadRun[], config: Config): readonly string[] {
  const lacks: string[] = [];
  const [total, skipped, flaky] = [
    sum(runs, ({ report }) => report.counts.passed),
    sum(runs, ({ report }) => report.counts.skipped),
    sum(runs, ({ report }) => report.flaky),
  ];
  if (total < config.minPassed) lacks.push(`${total} passed`);
  if (config.maxSkipped !== undefined && skipped > config.maxSkipped) lacks.push(`${skipped} skipped, at most ${config.maxSkipped} may be`);
  if (config.flaky === 'refuse' && flaky > 0) lacks.push(`${flaky} flaky: ${flakyNames(runs)}`);
  const { suites, cases, firstTry } = passedNames(runs);
  for (const name of config.suites) if (!suites.has(name)) lacks.push(`nothing passed in suite ${name}`);
  for (const name of config.cases) if (!cases.has(name)) lacks.push(`case ${name} did not pass`);
  for (const name of config.faults)
    if (!firstTry.has(name)) lacks.push(`fault case ${name} did not pass${cases.has(name) ? ' at the first try' : ''}`);
  return lacks;
}

/** Most names of flaky cases in a message; the report has them all. */
const MAX_NAMED = 5;

function flakyNames(runs: readonly ReadRun[]): string {
  const named = runs.flatMap(({ report }) => report.cases.filter((each) => each.flaky === true).map(caseName));
  return `${named.slice(0, MAX_NAMED).join(', ')}${named.length > MAX_NAMED ? ' …' : ''}`;
}

interface PassedNames {
  readonly suites: ReadonlySet<string>;
  readonly cases: ReadonlySet<string>;
  /** Those of `cases` that no run had to try again. */
  readonly firstTry: ReadonlySet<string>;
}

/** Names of suites with a passing case, and of cases that passed and never were skipped under the same name. */
function passedNames(runs: readonly ReadRun[]): PassedNames {
  const suites = new Set<string>();
  const cases = new Set<string>();
  const [skipped, retried] = [new Set<string>(), new Set<string>()];
  for (const { run } of runs) suites.add(run.predicate.suite);
  for (const each of runs.flatMap(({ report }) => report.cases)) {
    const into = each.outcome === 'passed' ? cases : skipped;
    into.add(each.name).add(caseName(each));
    if (each.flaky === true) retried.add(each.name).add(caseName(each));
    if (each.outcome === 'passed') each.suites.forEach((suite) => suites.add(suite));
  }
  for (const name of skipped) cases.delete(name);
  return { suites, cases, firstTry: new Set([...cases].filter((name) => !retried.has(name))) };
}

/**
 * Age is from the end of the run, as its signer says or, where that is earlier, as the report itself states; never from a site's clock. A
 * run that ended after its log entry was witnessed did not end then.
 */
function staleness(context: GateContext, runs: readonly ReadRun[], { maxAgeHours }: Config): readonly string[] {
  if (maxAgeHours === undefined) return [];
  const now = timeToSeconds(context.time.highest);
  return runs.flatMap(({ run: { from, predicate }, report }) => {
    if (predicate.finishedAt === undefined) return [`${predicate.suite} does not say when it ended`];
    const signed = timeToSeconds(predicate.finishedAt);
    const seen = from.witnessed === null ? now : Math.min(now, timeToSeconds(from.witnessed.highest));
    if (signed > seen) return [`${predicate.suite} says it ended at ${predicate.finishedAt}, after it was logged`];
    const stated = report.ranAt === undefined ? signed : timeToSeconds(report.ranAt);
    const [ended, when] = stated < signed ? [stated, report.ranAt] : [signed, predicate.finishedAt];
    return now - ended > maxAgeHours * SECONDS_AN_HOUR ? [`${predicate.suite} ended at ${String(when)}`] : [];
  });
}

const SECONDS_AN_HOUR = 3600;

function sum(runs: readonly ReadRun[], value: (run: ReadRun) => number): number {
  return runs.reduce((total, run) => total + value(run), 0);
}
