/** What a test report says, whatever its format: cases, counts and one verdict. */

/** How one case ended. A case that is both skipped and failed has failed. */
export type CaseOutcome = 'passed' | 'failed' | 'skipped';

/**
 * One case; `suites` are the names of the suites around it, outermost first. `flaky`: the tool says that it failed before it passed,
 * or it stands more than once under one full name, which is how re-runs are written (pytest shows the failed try as passed).
 */
export interface TestCase {
  readonly suites: readonly string[];
  readonly className: string;
  readonly name: string;
  readonly outcome: CaseOutcome;
  readonly flaky?: true;
}

/** Counts of cases: never taken from attributes, which tools and forgers write as they like. */
export interface TestCounts {
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** PASSED: at least one passed, none failed. FAILED: a case or a suite failed. EMPTY: nothing passed. UNREADABLE: cut or malformed. */
export type ReportVerdict = 'PASSED' | 'FAILED' | 'EMPTY' | 'UNREADABLE';

/**
 * A report as read. `suiteErrors` = errors of suites outside any case; `flaky` = how many cases are; `name` = the report's own name;
 * `ranAt` = the latest time that the report itself states (RFC 3339, seconds, UTC); `why` = what made it other than PASSED, for people.
 */
export interface TestReport {
  readonly verdict: ReportVerdict;
  readonly counts: TestCounts;
  readonly suiteErrors: number;
  readonly flaky: number;
  readonly name: string | undefined;
  readonly ranAt: string | undefined;
  readonly cases: readonly TestCase[];
  readonly why: string;
}

/** Most cases of one report: the largest public suites have some 300,000, and each costs memory. */
export const MAX_CASES = 500_000;
/** Longest name kept, in UTF-16 units; parameterised tests put whole values into names. */
export const MAX_NAME = 1024;

/** What is wrong with a report; its reader makes it UNREADABLE. */
export class Unreadable extends Error {}

/** A report that could not be read: nothing in it counts. */
export function unreadableReport(why: string): TestReport {
  const counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  return { verdict: 'UNREADABLE', counts, suiteErrors: 0, flaky: 0, name: undefined, ranAt: undefined, cases: [], why };
}

/** A case as people and policies name it: `class::name`, or the name alone where the class is empty. */
export function caseName({ className, name }: TestCase): string {
  return className === '' ? name : `${className}::${name}`;
}

/** What a reader found. `claim` = a failure that the report states and no case shows; `isHollow` = a passing case that says nothing. */
export interface ReportDraft {
  readonly cases: readonly TestCase[];
  readonly suiteErrors: number;
  readonly claim: string | undefined;
  readonly name: string | undefined;
  readonly ranAt: string | undefined;
  readonly isHollow: (one: TestCase) => boolean;
}

/** The report out of what was found: the one rule for its verdict, whatever the format. */
export function finishReport({ cases: found, suiteErrors, claim, name, ranAt, isHollow }: ReportDraft): TestReport {
  const cases = markRepeated(found);
  const count = (outcome: CaseOutcome): number => cases.reduce((sum, each) => sum + (each.outcome === outcome ? 1 : 0), 0);
  const counts = { total: cases.length, passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  const flaky = cases.reduce((sum, each) => sum + (each.flaky === true ? 1 : 0), 0);
  const report = { counts, suiteErrors, flaky, name, ranAt, cases };
  if (counts.failed > 0) return { ...report, verdict: 'FAILED', why: `${counts.failed} of ${counts.total} cases failed` };
  if (suiteErrors > 0) return { ...report, verdict: 'FAILED', why: `${suiteErrors} errors of suites, outside any case` };
  if (claim !== undefined) return { ...report, verdict: 'FAILED', why: claim };
  const real = cases.some((each) => each.outcome === 'passed' && !isHollow(each));
  if (!real) return { ...report, verdict: 'EMPTY', why: `nothing passed: ${counts.total} cases, ${counts.skipped} skipped` };
  return { ...report, verdict: 'PASSED', why: `${counts.passed} of ${counts.total} cases passed` };
}

/** Each further case of one full name is a try of the same test; a case without a name is its own. */
function markRepeated(cases: readonly TestCase[]): readonly TestCase[] {
  const seen = new Set<string>();
  return cases.map((each) => {
    if (each.name === '') return each;
    const full = [...each.suites, each.className, each.name].join('\n');
    if (!seen.has(full)) {
      seen.add(full);
      return each;
    }
    return { ...each, flaky: true };
  });
}

/** A time as milliseconds since 1970, in the form that reports are compared in; undefined for what is no time of this era. */
export function reportTime(ms: number): string | undefined {
  // 1 ms after 1970 is what test doubles write, and beyond 9999 the text has another width
  if (!Number.isFinite(ms) || ms < 1e11 || ms >= 253_402_300_800_000) return undefined;
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
