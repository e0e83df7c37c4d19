/** Checks as JUnit XML: one test case a gate, so that any CI shows them where it shows tests. */
import type { Check } from '@sealane/core';
import type { ReportedOutcome } from './outcome.js';

/** The file. A failed check is a failure, one that could not be judged an error, a pending one skipped. */
export function junitReport({ to, release, checks }: ReportedOutcome): string {
  const count = (verdict: Check['verdict']): number => checks.filter((check) => check.verdict === verdict).length;
  const suite = `name="sealane to ${escaped(to)}" tests="${checks.length}" failures="${count('fail')}" errors="${count('error')}" skipped="${count('pending')}"`;
  const cases = checks.map(
    (check) => `    <testcase classname="${escaped(`${to} ${release}`)}" name="${escaped(check.id)}"${bodyOf(check)}`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite ${suite}>\n${cases.join('\n')}\n  </testsuite>\n</testsuites>\n`;
}

const ELEMENTS = { fail: 'failure', error: 'error', pending: 'skipped' } as const;

function bodyOf({ verdict, expected, actual, remedy }: Check): string {
  if (verdict === 'pass') return '/>';
  const message = `expected ${expected}; got ${actual}`;
  return `><${ELEMENTS[verdict]} message="${escaped(message)}">${escaped(remedy)}</${ELEMENTS[verdict]}></testcase>`;
}

function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
