/** Which cases of a release passed, failed, were skipped or were flaky: each run's raw report, read again. */
import type { Digest } from '@sealane/core';
import {
  type CaseOutcome,
  caseName,
  isReportFormat,
  readReport,
  type ReportFormat,
  subjectDigests,
  type TestCounts,
  type TestReport,
} from '@sealane/trust';
import { once } from '../once.js';
import { aboutRelease, nameOf, type NamedRelease, readDocument } from './about-release.js';
import { doubt } from './answer.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn } from './facts.js';
import { type Answered, type Asked, inquire } from './inquiry.js';

/** `verdict` and cases are those of the report, not of who signed; null where it is not there. `tried`: which bytes were under test. */
export interface Cases extends NamedRelease {
  readonly runs: readonly {
    readonly suite: string;
    readonly signed: string;
    readonly verdict: string | null;
    readonly counts: TestCounts | null;
    readonly flaky: number | null;
    readonly at: string;
    readonly tried: readonly Digest[];
    readonly cases: readonly { readonly name: string; readonly outcome: CaseOutcome; readonly flaky: boolean }[];
    readonly report: Digest;
    readonly statement: Digest;
  }[];
}

/** Answers "which cases passed and which failed?". @throws AuditorError `RELEASE_UNKNOWN` */
export async function cases(context: AuditContext, named: string, asked: Asked = {}): Promise<Answered<Cases>> {
  return await inquire(context, `cases ${named}`, asked, async (inquiry) => {
    const about = await aboutRelease(inquiry, named);
    const runs: Cases['runs'][number][] = [];
    for (const fact of await factsIn(inquiry, FACT.test, about.entries)) {
      const { suite, result: signed, report: digest, format, counts } = fact.said;
      const report = readDocument(inquiry, fact, { digest, what: 'test report' }, parserOf(format));
      if (report !== undefined && (report.verdict !== signed || report.counts.total !== counts.total))
        doubt(
          inquiry.evidence,
          fact.entry,
          'EVIDENCE_RESULT',
          `entry ${fact.entry.index} is signed as ${signed}, its report is ${report.verdict}`,
        );
      runs.push({
        suite,
        signed,
        verdict: report?.verdict ?? null,
        counts: report?.counts ?? null,
        flaky: report?.flaky ?? null,
        at: fact.at,
        tried: subjectDigests(fact.entry.statement),
        cases: (report?.cases ?? []).map((one) => ({ name: caseName(one), outcome: one.outcome, flaky: one.flaky === true })),
        report: digest,
        statement: fact.entry.statementDigest,
      });
    }
    return { ...nameOf(about), runs };
  });
}

/** By format. */
const parsers = new Map<ReportFormat, (bytes: Uint8Array) => TestReport>();

/** Reads a report of this format, once for as long as its bytes are kept; of a format that nobody knows there is none to read. */
function parserOf(format: string): (bytes: Uint8Array) => TestReport | undefined {
  if (!isReportFormat(format)) return () => undefined;
  const parse = parsers.get(format) ?? once((bytes: Uint8Array) => readReport(format, bytes));
  parsers.set(format, parse);
  return parse;
}
