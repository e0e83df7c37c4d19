/** Row A5: reports of every format through the commands, and each way in which one that should not pass might have. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeHome, type TestHome } from '../../packages/promoter/src/testing/test-home.js';

const pipeline = (settings: string): string => `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates: [{ use: tests, with: ${settings} }]
signers: { release: [author], tests: [lab, lab2] }
registrar: registrar
`;
const SETTINGS = '{ minPassed: 2, suites: [link], cases: [boots], faults: [power cut], flaky: refuse, maxAgeHours: 24 }';

/** The same run in each format. */
const REPORTS = {
  junit:
    '<testsuites name="edge"><testsuite name="link"><testcase name="boots"/></testsuite><testsuite name="faults"><testcase name="power cut"/></testsuite></testsuites>',
  tap: 'TAP version 14\n# Subtest: link\n    ok 1 - boots\n    1..1\nok 1 - link\nok 2 - power cut\n1..2\n',
  ctrf: JSON.stringify({
    reportFormat: 'CTRF',
    results: {
      tool: { name: 'edge' },
      summary: { tests: 2, passed: 2, failed: 0 },
      tests: [
        { name: 'boots', status: 'passed', suite: ['link'] },
        { name: 'power cut', status: 'passed' },
      ],
    },
  }),
  lava: ['boots', 'power cut']
    .map((name) => `- job: '7'\n  logged: '${logged()}'\n  name: ${name}\n  result: pass\n  suite: link\n`)
    .join(''),
};

function logged(): string {
  return new Date().toISOString().replace('T', ' ').replace('Z', '000+00:00');
}

let lane: TestHome;
let release: string;

beforeEach(async () => {
  lane = await makeHome(pipeline(SETTINGS));
  release = await lane.release('1.0.0');
});

afterEach(async () => {
  await lane.stop();
});

const add = (text: string, exit = 0, key = 'lab'): Promise<{ error?: { code: string } }> =>
  lane.sealane(['evidence', 'add', release, '--tests', lane.file('report', text), '--key', key], exit);

/** The check of the gate as `promote` says it; the stage stays empty unless it passed. */
async function judged(exit: 0 | 3): Promise<{ verdict: string; code?: string; actual: string }> {
  const { checks } = await lane.sealane(['promote', release, '--to', 'dev'], exit);
  const { groups } = await lane.sealane(['channel', 'show', 'dev']);
  expect(groups.length > 0).toBe(exit === 0);
  return checks.find(({ id }: { id: string }) => id === 'tests');
}

describe('the gate passes', () => {
  test.each(Object.entries(REPORTS))('A5 on a report as %s with the counts, suites, cases and faults asked for', async (_, text) => {
    await add(text);
    expect(await judged(0)).toMatchObject({ verdict: 'pass', actual: expect.stringMatching(/^2 passed in /) });
  });
});

describe('the gate refuses', () => {
  test('A5 a release without any report', async () => {
    expect(await judged(3)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: 'no test result' });
  });

  test.each([
    ['empty', ''],
    ['of zero tests', '<testsuites/>'],
    ['of zero planned points', '1..0 # SKIP no rig'],
    ['of skipped tests only', '<testsuite name="link"><testcase name="boots"><skipped/></testcase></testsuite>'],
    ['of LAVA’s own steps only', REPORTS.lava.replaceAll('suite: link', 'suite: lava')],
    ['that is cut off', REPORTS.ctrf.slice(0, -20)],
    ['of which a part is missing', REPORTS.tap.replace('ok 2 - power cut\n', '')],
    ['in a format that nobody knows', 'boots: pass\n'],
  ])('A5 a report %s, before anything is signed', async (_, text) => {
    expect((await add(text, 3)).error?.code).toBe('EVIDENCE_RESULT');
    expect(await judged(3)).toMatchObject({ actual: 'no test result' });
  });

  test.each([
    ['too few cases', REPORTS.junit.replace('<testcase name="boots"/>', ''), /1 passed/],
    ['a named suite missing', REPORTS.junit.replace('"link"', '"links"'), /nothing passed in suite link/],
    ['a named case missing', REPORTS.tap.replace('boots', 'boot'), /case boots did not pass/],
    ['a named fault case missing', REPORTS.ctrf.replace('power cut', 'power'), /fault case power cut did not pass/],
    [
      'a named fault case skipped',
      REPORTS.junit.replace('cut"/>', 'cut"><skipped/></testcase><testcase name="x"/>'),
      /fault case power cut/,
    ],
    ['a case that passed at the second try', REPORTS.junit.replace('boots"/>', 'boots"><flakyFailure/></testcase>'), /1 flaky: boots/],
    [
      'a case twice under one name',
      REPORTS.junit.replace('<testcase name="boots"/>', '<testcase name="boots"/>'.repeat(2)),
      /1 flaky: boots/,
    ],
    ['a failed case', REPORTS.tap.replace('    ok 1', '    not ok 1'), /FAILED, 1 of 2/],
    ['a case in error', REPORTS.junit.replace('boots"/>', 'boots"><error/></testcase>'), /FAILED, 1 of 2/],
    ['a case of unknown status', REPORTS.ctrf.replace('passed","suite', 'aborted","suite'), /FAILED, 1 of 2/],
    [
      'a run of the day before yesterday',
      REPORTS.junit.replace('<testsuite ', '<testsuite timestamp="2026-01-01T00:00:00" '),
      /ended at 2026-01/,
    ],
  ])('A5 a report with %s', async (_, text, actual) => {
    await add(text);
    expect(await judged(3)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: expect.stringMatching(actual) });
  });

  test('A5 a good report of another release, and one by a key that is no lab’s', async () => {
    const other = await lane.release('2.0.0');
    await lane.sealane(['evidence', 'add', other, '--tests', lane.file('report', REPORTS.junit), '--key', 'lab']);
    expect(await judged(3)).toMatchObject({ actual: 'no test result' });
    expect((await add(REPORTS.junit, 3, 'author')).error?.code).toBe('EVIDENCE_SIGNER');
    expect(await judged(3)).toMatchObject({ actual: 'no test result' });
  });

  test('A5 a failure logged after the pass, until the same suite passes again', async () => {
    await add(REPORTS.junit);
    await add(REPORTS.junit.replace('boots"/>', 'boots"><failure/></testcase>'));
    expect(await judged(3)).toMatchObject({ code: 'EVIDENCE_RESULT' });
    await add(REPORTS.junit);
    expect(await judged(0)).toMatchObject({ verdict: 'pass' });
  });
});
