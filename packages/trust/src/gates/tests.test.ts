import { describe, expect, test } from 'vitest';
import { type JsonObject, sha256, utf8 } from '@sealane/core';
import { hbom, junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf } from '../testing/gate-lane.js';

const lane = (settings: JsonObject = {}): GateLane => new GateLane(gate('tests', settings));
const refused = { verdict: 'fail', code: 'EVIDENCE_RESULT' };

/** A signed predicate with other annotations than the report gives. */
const claiming =
  (counts: JsonObject) =>
  (predicate: JsonObject): JsonObject => {
    const [suite] = predicate.configuration as unknown as [JsonObject];
    return {
      ...predicate,
      configuration: [{ ...suite, annotations: { format: 'junit', total: 0, passed: 0, failed: 0, skipped: 0, ...counts } }],
    };
  };

describe('tests gate', () => {
  test('passes on a signed report that says what was signed', () => {
    const it = lane({ minPassed: 3, suites: ['smoke', 'unit'], cases: ['p0', 'p2'] });
    const digest = it.tests(junit(3));
    expect(it.check('tests')).toMatchObject({ verdict: 'pass', evidence: [digest], actual: '3 passed in smoke' });
  });

  test('fails when there is no result, with the command that adds one', () => {
    expect(lane().check('tests')).toMatchObject({ ...refused, actual: 'no test result', evidence: [] });
    expect(lane().check('tests').remedy).toMatch(/^sealane evidence add sha256:[0-9a-f]{64} --tests /);
  });

  test.each([
    ['by a key that policy does not name', { key: 'stranger' }, 'EVIDENCE_SIGNER'],
    ['by the builder, who is no lab', { key: 'builder' }, 'EVIDENCE_SIGNER'],
    ['about other bytes', { subject: digestOf('other') }, 'EVIDENCE_SUBJECT'],
  ])('refuses a result %s', (_, options, code) => {
    const it = lane();
    it.tests(junit(3), options);
    expect(it.check('tests')).toMatchObject({ verdict: 'fail', code, evidence: [] });
  });

  test('refuses a result logged after its key was revoked', () => {
    const it = lane();
    it.tests(junit(3));
    it.policy = {
      ...it.policy,
      keys: { ...it.policy.keys, [keyOf('lab')]: { spki: 'AAAA', origin: 'lane.example', fromIndex: 0, untilIndex: 3, reason: 'stolen' } },
    };
    expect(it.check('tests')).toMatchObject({ verdict: 'fail', code: 'KEY_REVOKED' });
  });

  test.each([
    ['empty bytes', ''],
    ['no case', '<testsuite/>'],
    ['all skipped', '<testsuite><testcase name="a"><skipped/></testcase></testsuite>'],
    ['cut', '<testsuite><testcase name="a"/>'],
    ['an error of the suite', '<testsuite><testcase name="a"/><error/></testsuite>'],
    ['an empty file of node --test', '<testsuites><testcase name="/x/gw.test.cjs" classname="test"/></testsuites>'],
  ])('refuses a report with %s that a lab signed as PASSED', (_, xml) => {
    const it = lane();
    it.tests(utf8(xml), { forge: (predicate) => ({ ...claiming({ total: 1, passed: 1 })(predicate), result: 'PASSED' }) });
    expect(it.check('tests')).toMatchObject(refused);
  });

  test('refuses signed counts that are not those of the report', () => {
    const it = lane({ minPassed: 100 });
    it.tests(junit(3), { forge: claiming({ total: 250, passed: 250 }) });
    expect(it.check('tests')).toMatchObject({ ...refused, actual: expect.stringContaining('are not those of its report') as string });
  });

  test('refuses a report that is not there, or has other bytes', () => {
    const it = lane();
    it.tests(junit(3), { blobs: 'no' });
    expect(it.check('tests')).toMatchObject({ verdict: 'fail', code: 'CONTENT_MISSING' });
    it.blobs.set(sha256(junit(3)), junit(4));
    expect(it.check('tests')).toMatchObject({ verdict: 'fail', code: 'CONTENT_DIGEST' });
  });

  test('refuses a format that it does not read', () => {
    const it = lane();
    it.tests(junit(3), { forge: claiming({ total: 3, passed: 3, format: 'ctrf' }) });
    expect(it.check('tests')).toMatchObject(refused);
  });

  test.each([
    ['no configuration', { configuration: [] }],
    ['an unknown result', { result: 'GREEN' }],
    [
      'hardware twice',
      {
        configuration: [
          { name: 's', digest: { sha256: 'a'.repeat(64) }, annotations: { format: 'junit', total: 1, passed: 1, failed: 0, skipped: 0 } },
          ...['b', 'c'].map((c) => ({ name: 'hardware', digest: { sha256: c.repeat(64) } })),
        ],
      },
    ],
  ])('refuses a result with %s', (_, change) => {
    const it = lane();
    it.tests(junit(3), { forge: (predicate) => ({ ...predicate, ...change }) });
    expect(it.check('tests')).toMatchObject({ ...refused, evidence: [] });
  });

  test('a result that only WARNED is no pass, and refuses like a failure', () => {
    const it = lane();
    it.tests(junit(3));
    it.tests(junit(3), { forge: (predicate) => ({ ...predicate, result: 'WARNED' }) });
    expect(it.check('tests')).toMatchObject(refused);
  });

  test('wants as many passed cases as asked, over suites, counting each suite once', () => {
    const it = lane({ minPassed: 6 });
    it.tests(junit(3));
    it.tests(junit(3));
    expect(it.check('tests')).toMatchObject({ ...refused, actual: '3 passed' });
    it.tests(junit(3, 0, 'fault'));
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
  });

  test('wants named suites and cases by exact name', () => {
    const it = lane({ suites: ['smok'], cases: ['p'] });
    it.tests(junit(3));
    expect(it.check('tests')).toMatchObject({ ...refused, actual: 'nothing passed in suite smok; case p did not pass' });
  });

  test('a suite in which every case was skipped has passed nothing, though others have', () => {
    const it = lane({ suites: ['x', 'faults'] });
    it.tests(
      utf8(
        '<testsuites name="all"><testsuite name="x"><testcase name="a"/></testsuite><testsuite name="faults"><testcase name="b"><skipped/></testcase></testsuite></testsuites>',
      ),
    );
    expect(it.check('tests')).toMatchObject({ ...refused, actual: 'nothing passed in suite faults' });
  });

  test('a case that was skipped under the same name did not pass', () => {
    const it = lane({ cases: ['a'] });
    it.tests(utf8('<testsuite name="x"><testcase name="a"/><testcase classname="other" name="a"><skipped/></testcase></testsuite>'));
    expect(it.check('tests')).toMatchObject(refused);
  });

  test('bounds skipped cases and refuses flaky ones where asked', () => {
    const xml = '<testsuite name="x"><testcase name="a"><flakyFailure/></testcase><testcase name="b"><skipped/></testcase></testsuite>';
    for (const [settings, verdict] of [
      [{ flaky: 'refuse' }, 'fail'],
      [{ maxSkipped: 0 }, 'fail'],
      [{ flaky: 'allow', maxSkipped: 1 }, 'pass'],
      [{}, 'pass'],
    ] as const) {
      const it = lane(settings);
      it.tests(utf8(xml));
      expect(it.check('tests').verdict).toBe(verdict);
    }
  });

  test('a case that stands twice under one full name is flaky, though both tries look passed; the same name in another suite is not', () => {
    const it = lane({ flaky: 'refuse' });
    it.tests(utf8('<testsuite name="x"><testcase name="link"/><testcase name="link"/></testsuite>'));
    expect(it.check('tests')).toMatchObject({ ...refused, actual: '1 flaky: link' });
    const other = lane({ flaky: 'refuse' });
    other.tests(
      utf8(
        '<testsuites><testsuite name="x"><testcase name="a"/></testsuite><testsuite name="y"><testcase name="a"/></testsuite></testsuites>',
      ),
    );
    expect(other.check('tests')).toMatchObject({ verdict: 'pass' });
  });

  test.each([
    ['passed at the first try', '<testcase name="power cut"/>', 'pass'],
    ['is not there', '<testcase name="power"/>', 'fail'],
    ['was skipped', '<testcase name="power cut"><skipped/></testcase><testcase name="b"/>', 'fail'],
    ['passed at the second try', '<testcase name="power cut"><flakyFailure/></testcase>', 'fail'],
    ['stands twice', '<testcase name="power cut"/><testcase name="power cut"/>', 'fail'],
  ] as const)('a fault case that %s: %3$s, though flaky ones are allowed', (_, inner, verdict) => {
    const it = lane({ faults: ['power cut'], flaky: 'allow' });
    it.tests(utf8(`<testsuite name="x">${inner}</testsuite>`));
    expect(it.check('tests').verdict).toBe(verdict);
  });
});

describe('formats', () => {
  const reports = [
    ['tap', 'TAP version 14\n1..1\nok 1 - boots\n'],
    [
      'ctrf',
      JSON.stringify({ results: { tool: { name: 't' }, summary: { tests: 1, failed: 0 }, tests: [{ name: 'boots', status: 'passed' }] } }),
    ],
    ['lava', "- job: '7'\n  logged: '2026-11-24 08:00:00.1+00:00'\n  name: boots\n  result: pass\n  suite: 0_smoke\n"],
  ] as const;

  test.each(reports)('reads %s', (format, text) => {
    const it = lane({ cases: ['boots'] });
    it.tests(utf8(text), { format });
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
  });

  test.each(reports)('a report of %s that is signed as JUnit, or as a format that is not read, is refused', (format, text) => {
    for (const claimed of ['junit', 'csv']) {
      const it = lane();
      it.tests(utf8(text), { format, forge: claiming({ total: 1, passed: 1, format: claimed }) });
      expect(it.check('tests')).toMatchObject(refused);
    }
  });
});

describe('failures', () => {
  test('one logged after the newest pass refuses; a later pass of the same suite lifts it', () => {
    const it = lane();
    it.tests(junit(3));
    const failure = it.tests(junit(2, 1));
    expect(it.check('tests')).toMatchObject({ ...refused, evidence: expect.arrayContaining([failure]) as string[] });
    it.tests(junit(3));
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
  });

  test('what was logged later counts, in whichever order statements are handed over', () => {
    const it = lane();
    it.tests(junit(3));
    it.tests(junit(2, 1));
    it.statements.reverse();
    expect(it.check('tests')).toMatchObject(refused);
  });

  test('a pass of another suite does not lift it', () => {
    const it = lane();
    it.tests(junit(2, 1));
    it.tests(junit(3, 0, 'other'));
    expect(it.check('tests')).toMatchObject(refused);
  });

  test('a failure on one class of hardware is lifted by a pass on that class only', () => {
    const it = lane();
    it.tests(junit(2, 1), { hardware: hbom({ bios: '3.0' }) });
    it.tests(junit(3), { hardware: hbom() });
    it.tests(junit(3));
    expect(it.check('tests')).toMatchObject(refused);
    it.tests(junit(3), { hardware: hbom({ bios: '3.0', serial: 'NR0009' }) });
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
  });

  test('an old pass logged again does not lift a failure', () => {
    const it = lane();
    it.tests(junit(3));
    const pass = it.statements.at(-1)!;
    it.tests(junit(2, 1));
    it.statements.push({ ...pass, logIndex: pass.logIndex + 5, keyId: keyOf('lab2') });
    expect(it.check('tests')).toMatchObject(refused);
  });

  test("a stranger who logs the lab's statement first does not take it away", () => {
    const it = lane();
    it.tests(junit(3));
    const pass = it.statements.at(-1)!;
    it.statements.push({ ...pass, logIndex: 0, keyId: keyOf('stranger') });
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
  });

  test('a pass whose report is missing or lies does not lift a failure', () => {
    const it = lane();
    it.tests(junit(2, 1));
    it.tests(junit(9), { blobs: 'no' });
    expect(it.check('tests')).toMatchObject(refused);
  });

  test('a failure by a stranger refuses nothing', () => {
    const it = lane();
    it.tests(junit(3));
    it.tests(junit(2, 1), { key: 'stranger' });
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
  });
});

describe('freshness', () => {
  const aged = (finishedAt: string | undefined, change: { witnessed?: string; report?: Uint8Array } = {}) => {
    const it = lane({ maxAgeHours: 168 });
    const { witnessed, report = junit(3) } = change;
    it.tests(report, { ...(finishedAt === undefined ? {} : { finishedAt }), ...(witnessed === undefined ? {} : { witnessed }) });
    return it.check('tests');
  };

  test('takes a run of at most so many hours before the witnessed time', () => {
    expect(aged('2026-11-17T10:00:00Z')).toMatchObject({ verdict: 'pass' });
    expect(aged('2026-11-17T09:59:59Z')).toMatchObject(refused);
  });

  test('a run that does not say when it ended is not fresh', () => {
    expect(aged(undefined)).toMatchObject({ ...refused, actual: 'smoke does not say when it ended' });
  });

  test('a run that says it ended after its entry was witnessed is not believed', () => {
    expect(aged('2026-11-24T09:00:01Z')).toMatchObject(refused);
    expect(aged('2030-01-01T00:00:00Z', { witnessed: '2026-11-24T09:00:00Z' })).toMatchObject(refused);
  });

  test('a report that states an older time than its signer is that old', () => {
    const report = utf8('<testsuite name="smoke" timestamp="2026-11-01T08:00:00"><testcase name="a"/></testsuite>');
    expect(aged('2026-11-24T08:00:00Z', { report })).toMatchObject({ ...refused, actual: 'smoke ended at 2026-11-01T08:00:00Z' });
  });

  test('a report that states a newer time than its signer is as old as its signer says', () => {
    const report = utf8('<testsuite name="smoke" timestamp="2026-11-24T08:00:00"><testcase name="a"/></testsuite>');
    expect(aged('2026-11-01T08:00:00Z', { report })).toMatchObject({ ...refused, actual: 'smoke ended at 2026-11-01T08:00:00Z' });
  });
});
