/** All 115 reports of the vectors: how each is recognised, read and judged. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readReport, reportFormatOf } from './report-format.js';
import type { ReportVerdict, TestCounts, TestReport } from './test-report.js';

const folder = new URL('../../../../test/vectors/junit/', import.meta.url);

interface Row {
  readonly file: string;
  readonly format: 'junit' | 'tap' | 'ctrf';
  readonly toolSays: (TestCounts & { readonly todo?: number; readonly other?: number }) | null;
  readonly casesSay?: TestCounts;
  readonly verdict: ReportVerdict;
  readonly alsoAllowed?: readonly ReportVerdict[];
}

const rows = (JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as { files: Row[] }).files;
const bytesOf = ({ file }: Row): Uint8Array => readFileSync(new URL(file, folder));

/** As a consumer reads it: recognised by how it begins; nothing is not recognised as anything. */
function read(row: Row): TestReport | undefined {
  const bytes = bytesOf(row);
  const format = reportFormatOf(bytes);
  return format === undefined ? undefined : readReport(format, bytes);
}

/** Tools count TODO as passed, as skipped, or apart, and a subtest as one case: there only what cannot differ is compared. */
const COUNTED_OTHERWISE = ['tap/prove-fail.tap', 'tap/prove-pass.tap', 'hostile/ctrf-other.json'];

describe('the vectors of test reports', () => {
  test('are 115', () => expect(rows).toHaveLength(115));

  test.each(rows)('$file is recognised as what it is, or as nothing where it is cut to nothing', (row) => {
    const format = reportFormatOf(bytesOf(row));
    if (format === undefined) expect(row.verdict).toBe('UNREADABLE');
    else expect(format).toBe(row.format);
  });

  test.each(rows)('$file is $verdict', (row) => {
    const report = read(row);
    expect([row.verdict, ...(row.alsoAllowed ?? [])]).toContain(report?.verdict ?? 'UNREADABLE');
    const said = row.casesSay ?? row.toolSays;
    if (said === null || report === undefined || report.verdict === 'UNREADABLE' || COUNTED_OTHERWISE.includes(row.file)) return;
    const todo = row.casesSay === undefined ? (row.toolSays?.todo ?? 0) : 0;
    expect(report.counts).toEqual({ total: said.total, passed: said.passed, failed: said.failed, skipped: said.skipped + todo });
  });

  test('only where the manifest calls it PASSED is anything PASSED', () => {
    const passed = rows.filter((row) => read(row)?.verdict === 'PASSED');
    expect(passed.filter((row) => row.verdict !== 'PASSED')).toEqual([]);
    expect(passed.length).toBeGreaterThan(25);
  });

  test('none is read as PASSED by the reader of another format', () => {
    for (const row of rows) {
      for (const format of (['junit', 'tap', 'ctrf', 'lava'] as const).filter((each) => each !== row.format))
        expect([row.file, format, readReport(format, bytesOf(row)).verdict]).toEqual([row.file, format, 'UNREADABLE']);
    }
  });

  test('every retry that a report shows makes a case flaky, and nothing else does', () => {
    const shown = rows.filter((row) => row.verdict === 'PASSED' && (read(row)?.flaky ?? 0) > 0).map(({ file }) => file);
    expect(shown.sort()).toEqual([
      'ctrf/jest-flaky.json',
      'ctrf/mocha-flaky.json',
      'gotestsum/flaky.xml',
      'pytest/flaky.xml',
      'surefire/flaky.xml',
    ]);
  });

  test('a report of TAP or CTRF cut anywhere is not PASSED, unless only blanks or comments were cut off', () => {
    for (const file of ['tap/node-pass.tap', 'tap/prove-pass.tap', 'ctrf/mocha-pass.json']) {
      const row = rows.find((each) => each.file === file)!;
      const bytes = bytesOf(row);
      for (let length = 0; length < bytes.length; length += 1) {
        const rest = Buffer.from(bytes.subarray(length)).toString().trim();
        const onlyComments = rest === '' || rest.split('\n').every((line) => line.startsWith('#') || !rest.includes('ok '));
        if (readReport(row.format, bytes.subarray(0, length)).verdict === 'PASSED') expect([file, onlyComments]).toEqual([file, true]);
      }
    }
  });
});
