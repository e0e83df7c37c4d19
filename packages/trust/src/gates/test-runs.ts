/**
 * Test runs as gates see them: a signed result, its raw report read again, and the hardware of that run.
 *
 * The signed counts are the lab's word, the report is the evidence: both must be there and agree. A failure stands until the
 * same suite passes later on the same class of hardware.
 */
import { counted, type Digest, PREDICATE } from '@sealane/core';
import { readTestResult, type TestResult } from '../reports/test-result.js';
import { isReportFormat } from '../reports/report-format.js';
import type { TestReport } from '../reports/test-report.js';
import { EVIDENCE_CODES, type Selected, selectStatements, type Selection } from './evidence-selection.js';
import type { GateContext, Read } from './gate.js';
import { factsText } from './hardware-coverage.js';

/** A test result that counts, by a signer that policy names. */
export type TestRun = Selected<TestResult>;

/** The test results about this release by these signers, oldest first. */
export function selectRuns(context: GateContext, signers: readonly string[]): Selection<TestResult> {
  return selectStatements(context, { predicateType: PREDICATE.testResult, signers, read: readTestResult, codes: EVIDENCE_CODES });
}

/**
 * The raw report of a run that PASSED, when it says so itself.
 *
 * Problems: `CONTENT_MISSING`, `CONTENT_DIGEST` (the blob), `EVIDENCE_RESULT` (unreadable, failed, empty, all skipped, other counts than signed, or not PASSED).
 */
export function soundReport(context: GateContext, { from, predicate }: TestRun): Read<TestReport> {
  const bad = (why: string): Read<TestReport> => ({
    ok: false,
    problem: { code: 'EVIDENCE_RESULT', why: `${from.digest} (${predicate.suite}): ${why}` },
  });
  if (predicate.result !== 'PASSED') return bad(`signed as ${predicate.result}`);
  if (!isReportFormat(predicate.format)) return bad(`its report is ${predicate.format}, which is not read`);
  const report = context.report(predicate.report, predicate.format);
  if (!report.ok) return report;
  const { verdict, why, counts } = report.value;
  if (verdict !== 'PASSED') return bad(`its report is ${verdict}: ${why}`);
  const { total, passed, failed, skipped } = predicate.counts;
  const agrees = total === counts.total && passed === counts.passed && failed === counts.failed && skipped === counts.skipped;
  return agrees
    ? report
    : bad(
        `signed counts ${total}/${passed}/${failed}/${skipped} are not those of its report, ${counts.total}/${counts.passed}/${counts.failed}/${counts.skipped}`,
      );
}

/** Runs that did not pass and that no later sound pass of the same suite, on the same class of hardware, has lifted. */
export function outstandingFailures(context: GateContext, runs: readonly TestRun[]): readonly TestRun[] {
  const passes = runs.filter((run) => run.predicate.result === 'PASSED');
  return runs.filter((run) => run.predicate.result !== 'PASSED' && !passes.some((pass) => lifts(context, pass, run)));
}

/** The newest run of each suite that PASSED. */
export function newestOfEachSuite(runs: readonly TestRun[]): readonly TestRun[] {
  const bySuite = new Map<string, TestRun>();
  for (const run of runs) if (run.predicate.result === 'PASSED') bySuite.set(run.predicate.suite, run);
  return [...bySuite.values()];
}

/** One line on a failure, for people. */
export function describeFailure({ from, predicate }: TestRun): string {
  return `${predicate.suite} ${predicate.result}, ${predicate.counts.failed} of ${counted(predicate.counts.total, 'case')} failed (${from.digest}, logged at ${from.logIndex})`;
}

function lifts(context: GateContext, pass: TestRun, failure: TestRun): boolean {
  if (pass.from.logIndex <= failure.from.logIndex || pass.predicate.suite !== failure.predicate.suite) return false;
  return isSameHardware(context, pass.predicate.hardware, failure.predicate.hardware) && soundReport(context, pass).ok;
}

/** A failure that names no hardware may have been anywhere: any later pass lifts it. One that names some asks for all classes that were there. */
function isSameHardware(context: GateContext, pass: Digest | undefined, failure: Digest | undefined): boolean {
  if (failure === undefined || pass === failure) return true;
  if (pass === undefined) return false;
  const [left, right] = [context.hardware(pass), context.hardware(failure)];
  if (!left.ok || !right.ok) return false;
  const there = new Set(left.value.devices.map(({ facts }) => factsText(facts)));
  return right.value.devices.every(({ facts }) => there.has(factsText(facts)));
}
