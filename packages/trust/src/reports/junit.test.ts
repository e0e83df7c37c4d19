import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '@sealane/core';
import { parseJUnit } from './junit.js';
import type { ReportVerdict, TestCounts } from './test-report.js';

const folder = new URL('../../../../test/vectors/junit/', import.meta.url);

interface Row {
  readonly file: string;
  readonly format: string;
  readonly variant: string;
  readonly toolSays: TestCounts | null;
  readonly casesSay?: TestCounts;
  readonly verdict: ReportVerdict;
  readonly alsoAllowed?: readonly ReportVerdict[];
}

const rows = (JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as { files: Row[] }).files.filter(
  ({ format }) => format === 'junit',
);
const report = (xml: string) => parseJUnit(utf8(xml));
const suite = (inner: string, attributes = '') => report(`<testsuite name="gw"${attributes}>${inner}</testsuite>`);

describe('the vectors of junit', () => {
  test('are 80 reports', () => expect(rows).toHaveLength(80));

  test.each(rows)('$file ($variant) is $verdict', ({ file, verdict, alsoAllowed, toolSays, casesSay }) => {
    const read = parseJUnit(readFileSync(new URL(file, folder)));
    expect([verdict, ...(alsoAllowed ?? [])]).toContain(read.verdict);
    const said = casesSay ?? toolSays;
    if (said === null || read.verdict === 'UNREADABLE') return;
    const { total, passed, failed, skipped } = said;
    expect(read.counts).toEqual({ total, passed, failed, skipped });
  });

  test('only where the manifest calls it PASSED is anything PASSED', () => {
    const passed = rows.filter((row) => parseJUnit(readFileSync(new URL(row.file, folder))).verdict === 'PASSED');
    expect(passed.filter((row) => row.verdict !== 'PASSED')).toEqual([]);
    expect(passed.length).toBeGreaterThan(15);
  });

  test('a tool that says a case was flaky is believed', () => {
    expect(parseJUnit(readFileSync(new URL('surefire/flaky.xml', folder)))).toMatchObject({ verdict: 'PASSED', flaky: 1 });
  });

  test('every report cut anywhere is UNREADABLE, or had nothing but blanks after the cut', () => {
    const bytes = readFileSync(new URL('pytest/pass.xml', folder));
    for (let length = 0; length < bytes.length; length += 7) {
      expect(parseJUnit(bytes.subarray(0, length)).verdict).toBe('UNREADABLE');
    }
  });
});

describe('what must not pass', () => {
  test.each([
    ['a case with an unknown status', '<testcase name="a" status="aborted"/>', 'FAILED'],
    ['a case with an unknown outcome', '<testcase name="a" outcome="failed"/><testcase name="b"/>', 'FAILED'],
    ['a case that was aborted', '<testcase name="a"><aborted/></testcase><testcase name="b"/>', 'FAILED'],
    ['a case that took too long', '<testcase name="a"><timeout/></testcase><testcase name="b"/>', 'FAILED'],
    ['a case with an unknown result', '<testcase name="a" result="inconclusive"/><testcase name="b"/>', 'FAILED'],
    ['a failed try hidden behind a passing one of the same name', '<testcase name="a"><failure/></testcase><testcase name="a"/>', 'FAILED'],
    ['a case both skipped and failed', '<testcase name="a"><skipped/><error/></testcase><testcase name="b"/>', 'FAILED'],
    ['an error of the suite', '<testcase name="a"/><error/>', 'FAILED'],
    ['a failure wrapped in an element of its own', '<testcase name="a"><x><failure/></x></testcase>', 'FAILED'],
    ['a failure with a capital', '<testcase name="a"><Failure/></testcase>', 'FAILED'],
    ['an error in capitals', '<testcase name="a"><ERROR/></testcase>', 'FAILED'],
    ['a failure under a namespace prefix', '<testcase name="a"><j:failure/></testcase>', 'FAILED'],
    ['all skipped', '<testcase name="a"><skipped/></testcase>', 'EMPTY'],
    ['no case', '', 'EMPTY'],
    ['a case inside a case', '<testcase name="a"><testcase name="b"/></testcase>', 'UNREADABLE'],
    ['a suite inside a case', '<testcase name="a"><testsuite/></testcase>', 'UNREADABLE'],
    ['an unknown entity', '<testcase name="&x;"/>', 'UNREADABLE'],
    ['a control character by reference', '<testcase name="&#27;"/>', 'UNREADABLE'],
    ['an attribute twice', '<testcase name="a" name="b"/>', 'UNREADABLE'],
  ] as const)('%s is %3$s', (_, inner, verdict) => {
    expect(suite(inner).verdict).toBe(verdict);
  });

  test('a claim of failures that no case shows is FAILED, a claim of passes is nothing', () => {
    expect(suite('<testcase name="a"/>', ' errors="1"').verdict).toBe('FAILED');
    for (const count of ['1.0', '+1', '1,000', 'many', '-1'])
      expect(suite('<testcase name="a"/>', ` errors="${count}"`).verdict).toBe('FAILED');
    for (const count of ['', '0', '00', ' 0 ', '0.0', '-0'])
      expect(suite('<testcase name="a"/>', ` errors="${count}"`).verdict).toBe('PASSED');
    expect(suite('<testcase name="a"/>', ' failures="007"').verdict).toBe('FAILED');
    expect(suite('', ' tests="250"')).toMatchObject({ verdict: 'EMPTY', counts: { total: 0, passed: 0 } });
  });

  test('XML 1.1 does not let control characters in', () => {
    expect(report('<?xml version="1.1"?><testsuite><testcase name="&#27;"/></testsuite>').verdict).toBe('UNREADABLE');
  });

  test('a document type is refused, empty or not', () => {
    expect(report('<!DOCTYPE testsuite><testsuite><testcase name="a"/></testsuite>')).toMatchObject({
      verdict: 'UNREADABLE',
      why: 'expected no document type, got one',
    });
  });

  test('too deep and too many cases are UNREADABLE', () => {
    expect(report('<testsuite>'.repeat(65)).verdict).toBe('UNREADABLE');
    expect(suite('<testcase/>'.repeat(500_001)).why).toContain('at most 500000 cases');
  });

  test('a report over the bound is refused before it is read', () => {
    expect(parseJUnit(new Uint8Array(64 * 1024 * 1024 + 1)).why).toContain('expected at most');
  });
});

describe('encodings', () => {
  const xml = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?><testsuite><testcase name="größe"/></testsuite>`;

  test('ISO-8859-1 is read as what it is', () => {
    expect(parseJUnit(Buffer.from(xml('ISO-8859-1'), 'latin1')).cases[0]?.name).toBe('größe');
  });

  test('a UTF-8 byte-order mark is taken, unless the declaration contradicts it', () => {
    expect(report(`\ufeff${xml('UTF-8')}`).cases[0]?.name).toBe('größe');
    expect(report(`\ufeff${xml('ISO-8859-1')}`).verdict).toBe('UNREADABLE');
  });

  test('UTF-16 with its mark is taken, either way round', () => {
    const little = Buffer.from(`\ufeff${xml('UTF-16')}`, 'utf16le');
    expect(parseJUnit(little).cases[0]?.name).toBe('größe');
    expect(parseJUnit(Buffer.from(little).swap16()).cases[0]?.name).toBe('größe');
  });

  test('a name split between two pieces stays whole', () => {
    const padding = ' '.repeat(64 * 1024 - '<testsuite><testcase name="gr'.length - 1);
    expect(report(`<testsuite>${padding}<testcase name="größe"/></testsuite>`).cases[0]?.name).toBe('größe');
  });

  test.each(['UTF-7', 'EBCDIC-CP-BE', 'constructor', 'utf-32'])('%s is refused', (encoding) => {
    expect(report(xml(encoding)).verdict).toBe('UNREADABLE');
  });
});

describe('arbitrary input', () => {
  test('any bytes are a verdict, never a crash', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void expect(parseJUnit(bytes).verdict).toBe('UNREADABLE')));
  });

  test('any tangle of real tags is a verdict, and PASSED only with a passing and no failing case', () => {
    const tag = fc.constantFrom(
      '<testsuites>',
      '</testsuites>',
      '<testsuite>',
      '</testsuite>',
      '<testcase name="a">',
      '</testcase>',
      '<testcase name="b"/>',
      '<failure/>',
      '<error/>',
      '<skipped/>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&#0;',
      '\u001b',
      '<?xml version="1.0"?>',
      '<properties/>',
    );
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 14 }), (tags) => {
        const read = report(`<testsuites>${tags.join('')}</testsuites>`);
        if (read.verdict !== 'PASSED') return;
        expect(read.counts.passed).toBeGreaterThan(0);
        expect(read.counts.failed + read.suiteErrors).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('flipping any byte of a failing report never makes it PASSED, but where the name of a verdict itself is hit', () => {
    const bytes = readFileSync(new URL('pytest/fail.xml', folder));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const flipped = Uint8Array.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        expect(parseJUnit(flipped).verdict).not.toBe('PASSED');
      }),
    );
  });

  test('reads 100,000 cases in time that grows with their number: more would outlast the test', () => {
    const cases = Array.from(
      { length: 100_000 },
      (_, n) => `<testcase classname="pkg.Class${String(n % 100)}" name="case ${String(n)}" time="0.001"/>`,
    );
    const bytes = utf8(`<testsuites><testsuite name="big" tests="100000">${cases.join('\n')}</testsuite></testsuites>`);
    expect(parseJUnit(bytes)).toMatchObject({ verdict: 'PASSED', counts: { total: 100_000, passed: 100_000 } });
  }, 120_000);
});
