/**
 * LAVA results as YAML (`/results/JOB/yaml`): a list with one mapping for each test case, as PyYAML writes it.
 *
 * That is one small and regular part of YAML, so it is read line by line and anything else is refused: `yaml` took 2.9 s for 10,000 cases in
 * braces, and a site reads the report at each admission. Lines indented deeper than a key are inside that key's value and count for nothing; in a
 * block mapping nothing else can be (YAML 1.2, 7.4 and 8.1), so no text inside a value can pass for a result.
 */
import { LIMITS } from '@sealane/core';
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

/** The suite of LAVA's own steps: that they passed says that a board booted, not that anything was tested. */
const LAVA_SUITE = 'lava';

/** Results of a case; any other, `unknown` too, has failed. */
const OUTCOMES: ReadonlyMap<string, CaseOutcome> = new Map([
  ['pass', 'passed'],
  ['skip', 'skipped'],
]);

/** The keys that are read: each once in every case, its value on the same line. */
const READ = ['job', 'logged', 'name', 'result', 'suite'] as const;
type Key = (typeof READ)[number];
const KEYS: ReadonlySet<string> = new Set(READ);

/** A key of a case: `- ` before the first one, two blanks before the others. */
const KEY = /^(- | {2})([A-Za-z_][A-Za-z0-9_]*):(?: (.*))?$/;
/** A line inside a value. */
const INSIDE = /^ {3}|^$/;

/** Reads a report. Never throws: what cannot be read has the verdict UNREADABLE and no cases. */
export function parseLava(bytes: Uint8Array): TestReport {
  if (bytes.length > LIMITS.evidenceBlobBytes)
    return unreadableReport(`expected at most ${LIMITS.evidenceBlobBytes} bytes, got ${bytes.length}`);
  try {
    const rows = readRows(textOf(bytes)).map(caseOf);
    const jobs = new Set(rows.map(({ job }) => job));
    // cases of two jobs in one file: nobody can tell which of them ran last
    if (jobs.size > 1) throw new Unreadable(`expected the results of one job, got those of ${jobs.size}`);
    // one format and one zone, so text order is time order
    const latest = rows.reduce((last, { logged }) => (logged > last ? logged : last), '');
    const cases = rows.map(({ one }) => one);
    const isHollow = ({ suites }: TestCase): boolean => suites[0] === LAVA_SUITE;
    return finishReport({
      cases,
      suiteErrors: 0,
      claim: undefined,
      name: undefined,
      ranAt: reportTime(Date.parse(latest.replace(' ', 'T'))),
      isHollow,
    });
  } catch (error) {
    if (error instanceof Unreadable) return unreadableReport(error.message);
    throw error;
  }
}

type Row = Map<string, string>;

function readRows(text: string): readonly Row[] {
  const rows: Row[] = [];
  const lines = text.split('\n');
  lines.forEach((line, at) => {
    if (INSIDE.test(line) && (rows.length > 0 || line === '')) return;
    if (line === '---' && rows.length === 0) return;
    if (line === '[]' && lines.every((each, other) => other === at || each === '')) return;
    const [, lead, key = '', value = ''] = KEY.exec(line) ?? refuse(at, 'a case as LAVA writes it', line);
    if (lead === '- ') rows.push(new Map());
    if (rows.length > MAX_CASES) refuse(at, `at most ${MAX_CASES} cases`, 'more');
    const row = rows.at(-1) ?? refuse(at, 'the first key of a case', line);
    if (!isRead(key)) return;
    if (row.has(key)) refuse(at, 'each key once in a case', `${key} again`);
    row.set(key, scalar(value, at));
  });
  if (rows.length === 0 && !lines.includes('[]')) throw new Unreadable('expected a list of cases, got none');
  return rows;
}

function caseOf(row: Row, index: number): { readonly job: string; readonly one: TestCase; readonly logged: string } {
  const [job, logged, name, result, suite] = READ.map((key) => {
    const value = row.get(key);
    if (value === undefined || value === '') throw new Unreadable(`case ${index}: expected a value at ${key}`);
    return value;
  });
  const one = { suites: [(suite ?? '').slice(0, MAX_NAME)], className: '', name: (name ?? '').slice(0, MAX_NAME) };
  return {
    job: job ?? '',
    one: { ...one, outcome: OUTCOMES.get(result ?? '') ?? 'failed' },
    logged: logged ?? '',
  };
}

/** One scalar on one line: plain, or in quotes. No anchor, alias, tag, flow collection, block scalar or comment. */
function scalar(text: string, at: number): string {
  if (/^[A-Za-z0-9][\w./+-]*$/.test(text)) return text;
  const single = /^'((?:[^']|'')*)'$/.exec(text)?.[1];
  if (single !== undefined) return single.replaceAll("''", "'");
  const double = /^"((?:[^"\\]|\\.)*)"$/.test(text) ? text : undefined;
  if (double !== undefined) return fromJson(double, at);
  if (text === '' || /^[-?:,[\]{}#&*!|>'"%@`]|: |:$| #|\t| $/.test(text)) refuse(at, 'a value on one line', text);
  return text;
}

function fromJson(text: string, at: number): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : refuse(at, 'text', text);
  } catch {
    // an escape of YAML that JSON does not have: names with such characters are refused, not guessed
    return refuse(at, 'text with the escapes of JSON', text);
  }
}

function isRead(key: string): key is Key {
  return KEYS.has(key);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Unreadable('expected UTF-8 text, got other bytes', { cause });
  }
}

function refuse(at: number, expected: string, got: string): never {
  throw new Unreadable(`line ${at + 1}: expected ${expected}, got ${got.slice(0, 80)}`);
}
