/** CTRF JSON (https://ctrf.io): one object with a tool, a summary and its tests. Tests are counted, the summary can only make it worse. */
import { CoreError, type JsonObject, type JsonValue, LIMITS, parseStrictJson } from '@sealane/core';
import {
  type CaseOutcome,
  finishReport,
  MAX_CASES,
  MAX_NAME,
  reportTime,
  type TestCase,
  type TestReport,
  Unreadable,
  unreadableReport,
} from './test-report.js';

/** Statuses of a test; any other, `other` too, has failed: unknown never passes. */
const OUTCOMES: ReadonlyMap<string, CaseOutcome> = new Map([
  ['passed', 'passed'],
  ['skipped', 'skipped'],
  ['pending', 'skipped'],
]);

/** Reads a report. Never throws: what cannot be read has the verdict UNREADABLE and no cases. */
export function parseCtrf(bytes: Uint8Array): TestReport {
  try {
    const root = objectAt(parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth }), 'the document');
    const format = root.reportFormat;
    if (format !== undefined && format !== 'CTRF') throw new Unreadable('expected reportFormat CTRF, got another');
    return reportOf(objectAt(root.results, 'results'));
  } catch (error) {
    if (error instanceof Unreadable || error instanceof CoreError) return unreadableReport(error.message);
    throw error;
  }
}

function reportOf({ tool, summary, tests }: JsonObject): TestReport {
  textAt(objectAt(tool, 'results.tool').name, 'results.tool.name');
  const claims = objectAt(summary, 'results.summary');
  if (!isList(tests)) throw new Unreadable('expected a list at results.tests');
  if (tests.length > MAX_CASES) throw new Unreadable(`expected at most ${MAX_CASES} cases, got ${tests.length}`);
  const cases = tests.map(readTest);
  const claimed = countAt(claims.tests, 'results.summary.tests');
  // a report that lost some of its tests on the way may have lost the failures
  if (claimed > cases.length) throw new Unreadable(`expected the ${claimed} tests of the summary, got ${cases.length}`);
  const claim = countAt(claims.failed, 'results.summary.failed') > 0 ? 'the summary claims failures that no test shows' : undefined;
  const ranAt = typeof claims.stop === 'number' ? reportTime(claims.stop) : undefined;
  return finishReport({ cases, suiteErrors: 0, claim, name: undefined, ranAt, isHollow: () => false });
}

function readTest(value: JsonValue, index: number): TestCase {
  const place = `results.tests[${index}]`;
  const { name, status, suite, flaky, retries } = objectAt(value, place);
  const outcome = OUTCOMES.get(textAt(status, `${place}.status`)) ?? 'failed';
  const isFlaky = flaky === true || (typeof retries === 'number' && retries > 0);
  return {
    suites: suitesOf(suite, place),
    className: '',
    name: textAt(name, `${place}.name`).slice(0, MAX_NAME),
    outcome,
    ...(isFlaky ? { flaky: true } : {}),
  };
}

/** Older reporters write one text, newer ones the path of suites. */
function suitesOf(suite: JsonValue | undefined, place: string): readonly string[] {
  if (suite === undefined || suite === null) return [];
  const names: readonly JsonValue[] = isList(suite) ? suite : [suite];
  return names.map((name) => textAt(name, `${place}.suite`).slice(0, MAX_NAME));
}

function objectAt(value: JsonValue | undefined, place: string): JsonObject {
  if (typeof value === 'object' && value !== null && !isList(value)) return value;
  throw new Unreadable(`expected an object at ${place}`);
}

function textAt(value: JsonValue | undefined, place: string): string {
  if (typeof value === 'string') return value;
  throw new Unreadable(`expected text at ${place}`);
}

function countAt(value: JsonValue | undefined, place: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new Unreadable(`expected a whole number at ${place}`);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
