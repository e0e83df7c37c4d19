import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS, parseStatement, sha256, utf8 } from '@sealane/core';
import { codeOf } from '../testing/code-of.js';
import { digestOf, RELEASE } from '../testing/gate-lane.js';
import { parseJUnit } from './junit.js';
import { readTestResult, suiteNameOf, testResultPredicate, testResultStatement } from './test-result.js';

const salt = '0'.repeat(32);
const make = (xml: string | Uint8Array, more = {}) => {
  const report = typeof xml === 'string' ? utf8(xml) : xml;
  return testResultPredicate({ report, format: 'junit', parsed: parseJUnit(report), salt, ...more });
};
const write = (xml: string | Uint8Array, more = {}) => testResultStatement([{ digest: RELEASE }], make(xml, more));

describe('a test result', () => {
  test('says what it was made of: report, counts, hardware, topology, in the order of the format', () => {
    const xml = '<testsuites name="gw"><testcase classname="a" name="ok"/><testcase name="no"><failure/></testcase></testsuites>';
    const [hardware, topology] = [digestOf('hbom'), digestOf('topology')];
    const payload = write(xml, { hardware, topology, finishedAt: '2026-11-24T10:00:00Z' });
    const { predicate, ...statement } = parseStatement(payload);
    expect(statement).toMatchObject({
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      subject: [{ digest: { sha256: RELEASE.slice(7) } }],
    });
    expect(predicate).toMatchObject({ result: 'FAILED', passedTests: ['a::ok'], failedTests: ['no'], salt });
    expect(
      (predicate.configuration as unknown as { name: string; mediaType: string }[]).map(({ name, mediaType }) => `${name} ${mediaType}`),
    ).toEqual(['gw application/xml', 'hardware application/vnd.cyclonedx+json', 'topology application/vnd.sealane.topology.v1+json']);
    expect(readTestResult(parseStatement(payload))).toEqual({
      result: 'FAILED',
      suite: 'gw',
      report: sha256(utf8(xml)),
      format: 'junit',
      hardware,
      topology,
      finishedAt: '2026-11-24T10:00:00Z',
      counts: { total: 2, passed: 1, failed: 1, skipped: 0 },
    });
  });

  test.each(['', '<testsuite/>', '<testsuite><testcase><skipped/></testcase></testsuite>', '<testsuite>'])(
    'is not made of a report in which nothing ran: %j',
    (xml) => {
      expect(codeOf(() => make(xml))).toBe('EVIDENCE_RESULT');
    },
  );

  test('fits a payload however many and long the names are', () => {
    const cases = Array.from({ length: 5000 }, (_, n) => `<testcase classname="${'\u20ac'.repeat(500)}" name="${String(n)}"/>`);
    const payload = write(`<testsuite name="${'\ud83d\ude00'.repeat(200)}">${cases.join('')}</testsuite>`);
    expect(payload.length).toBeLessThan(LIMITS.statementBytes);
    expect(readTestResult(parseStatement(payload)).counts.passed).toBe(5000);
  });

  test('names its suite after the report, its only top suite, or nothing', () => {
    const name = (xml: string) => suiteNameOf(parseJUnit(utf8(xml)));
    expect(name('<testsuites name=" gw "><testsuite name="x"><testcase/></testsuite></testsuites>')).toBe('gw');
    expect(name('<testsuites><testsuite name="x"><testsuite name="y"><testcase/></testsuite></testsuite></testsuites>')).toBe('x');
    expect(name('<testsuites><testsuite name="x"><testcase/></testsuite><testcase/></testsuites>')).toBe('tests');
  });

  test('refuses a predicate that names hardware twice, before it is signed', () => {
    const predicate = make('<testsuite><testcase/></testsuite>', { hardware: digestOf('a') });
    const [suite, hardware] = predicate.configuration as unknown as [object, object];
    expect(
      codeOf(() => testResultStatement([{ digest: RELEASE }], { ...predicate, configuration: [suite, hardware, hardware] as never })),
    ).toBe('TRUST_MALFORMED');
  });

  test('can be written and read of every report of the vectors in which something ran', () => {
    const folder = new URL('../../../../test/vectors/junit/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.xml'));
    const written = files.flatMap((file) => {
      const report = readFileSync(new URL(file, folder));
      const parsed = parseJUnit(report);
      if (parsed.verdict === 'EMPTY' || parsed.verdict === 'UNREADABLE') return [];
      const read = readTestResult(parseStatement(write(report)));
      expect(read).toMatchObject({ result: parsed.verdict, counts: parsed.counts, report: sha256(report) });
      return [file];
    });
    expect(written.length).toBeGreaterThan(40);
  });

  test('any predicate is read or refused as malformed, never a crash', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const entry = fc.record(
      {
        name: fc.constantFrom('hardware', 's', ''),
        digest: fc.record({ sha256: fc.constantFrom('a'.repeat(64), 'x') }),
        annotations: value,
      },
      { requiredKeys: [] },
    );
    const predicate = fc.record(
      { result: fc.oneof(value, fc.constant('PASSED')), configuration: fc.oneof(value, fc.array(entry)), passedTests: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(predicate, (made) => {
        const statement = {
          _type: 'https://in-toto.io/Statement/v1',
          subject: [],
          predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
          predicate: made,
        } as never;
        expect(['TRUST_MALFORMED', undefined]).toContain(codeOf(() => readTestResult(statement)));
      }),
    );
  });
});
