/** What a test report says, whatever its format: cases, counts and one verdict. */

/** How one case ended. A case that is both skipped and failed has failed. */
export type CaseOutcome = 'passed' | 'failed' | 'skipped';

/** One case; `suites` are the names of the suites around it, outermost first. */
export interface TestCase {
  readonly suites: readonly string[];
  readonly className: string;
  readonly name: string;
  readonly outcome: CaseOutcome;
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
 * A report as read. `suiteErrors` = errors of suites outside any case; `flaky` = cases that the tool says failed before they
 * passed; `name` = the report's own name, `why` = what made it other than PASSED, for people.
 */
export interface TestReport {
  readonly verdict: ReportVerdict;
  readonly counts: TestCounts;
  readonly suiteErrors: number;
  readonly flaky: number;
  readonly name: string | undefined;
  readonly cases: readonly TestCase[];
  readonly why: string;
}

/** A report that could not be read: nothing in it counts. */
export function unreadableReport(why: string): TestReport {
  const counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  return { verdict: 'UNREADABLE', counts, suiteErrors: 0, flaky: 0, name: undefined, cases: [], why };
}

/** A case as people and policies name it: `class::name`, or the name alone where the class is empty. */
export function caseName({ className, name }: TestCase): string {
  return className === '' ? name : `${className}::${name}`;
}
