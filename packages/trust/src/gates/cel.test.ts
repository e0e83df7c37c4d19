/** The owners' own rule: whatever is not plainly true refuses, and most mistakes are found when the pipeline is read. */
import { PREDICATE, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { junit } from '../testing/gate-documents.js';
import { gate, GateLane } from '../testing/gate-lane.js';
import { celGate } from './cel.js';
import { validateGateConfig } from './index.js';

const PROVENANCE = {
  buildDefinition: {
    buildType: 'https://git.example/build@v1',
    externalParameters: { source: 'https://git.example/api', ref: 'refs/heads/main' },
    resolvedDependencies: [{ uri: 'git+https://git.example/api', digest: { gitCommit: 'c0ffee' } }],
  },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
};

const settings = (expression: string): { readonly message: string; readonly expression: string } => ({ message: 'our rule', expression });

function judge(expression: string, prepare: (lane: GateLane) => void = () => undefined): ReturnType<GateLane['check']> {
  const lane = new GateLane(gate('cel', settings(expression)));
  prepare(lane);
  return lane.check('cel', [celGate]);
}

describe('cel gate', () => {
  test.each([
    "release.version != ''",
    "stage == 'prod'",
    "release.components.all(part, part.digest.startsWith('sha256:'))",
    "time >= '2000-01-01T00:00:00Z' && groups.size() > 0",
  ])('passes where the expression is true: %s', (expression) => {
    expect(judge(expression)).toMatchObject({ verdict: 'pass', actual: 'true' });
  });

  test.each(["stage == 'dev'", 'release.components.size() > 100', '!true'])('refuses where it is false: %s', (expression) => {
    expect(judge(expression)).toMatchObject({ verdict: 'fail', code: 'GATE_RULE' });
  });

  test('refuses evidence that is missing, though a rule over an empty list would be true', () => {
    for (const expression of [
      'provenance.all(each, each.builder == "https://evil.example")',
      'tests.failed == 0',
      'vulnerabilities.all(each, each.severity == "low")',
      'packages.all(each, each.licences.size() > 0)',
    ])
      expect(judge(expression), expression).toMatchObject({ verdict: 'fail' });
  });

  test('reads the evidence that counts, and names it', () => {
    const rule = 'provenance.all(each, each.builder == "https://ci.example/builder" && each.commit == "c0ffee")';
    const passed = judge(rule, (lane) => void lane.provenance(PROVENANCE));
    expect(passed).toMatchObject({ verdict: 'pass' });
    expect(passed.evidence).toHaveLength(1);
    expect(judge(rule, (lane) => void lane.provenance(PROVENANCE, { key: 'alice' }))).toMatchObject({ verdict: 'fail', evidence: [] });
  });

  test('counts the newest run of each suite, and every failure that stands', () => {
    const rule = 'tests.failed == 0 && tests.passed == 5 && "smoke" in tests.suites';
    const passing = (lane: GateLane): void => {
      lane.tests(junit(2));
      lane.tests(junit(3));
      lane.tests(junit(2, 0, 'soak'));
    };
    expect(judge(rule, passing)).toMatchObject({ verdict: 'pass' });
    const failing = judge(rule, (lane) => {
      passing(lane);
      lane.tests(junit(0, 1, 'faults'));
    });
    expect(failing).toMatchObject({ verdict: 'fail', code: 'GATE_RULE' });
    expect(failing.evidence).toHaveLength(3);
    // a run can fail without a case that did
    const broken = utf8('<testsuites name="smoke"><testsuite name="unit" errors="1"><testcase name="a"/></testsuite></testsuites>');
    expect(judge('tests.failed == 0', (lane) => void lane.tests(broken))).toMatchObject({ verdict: 'fail' });
    const gone = judge(rule, (lane) => {
      passing(lane);
      lane.blobs.clear();
    });
    expect(gone).toMatchObject({ verdict: 'fail', code: 'CONTENT_MISSING' });
  });

  test('reads packages only where each image has its list', () => {
    const [image, other] = ['{"config":{},"layers":[]}', '{"config":{},"layers":[] }'].map((text) => utf8(text));
    const rule = 'packages.all(each, each.name != "left-pad")';
    const listed = (...images: readonly Uint8Array[]) =>
      judge(rule, (lane) => {
        for (const bytes of [image, other]) if (bytes !== undefined) lane.blobs.set(sha256(bytes), bytes);
        lane.components = [image, other].flatMap((bytes, at) =>
          bytes === undefined ? [] : [{ name: `app-${String(at)}`, kind: 'image' as const, digest: sha256(bytes) }],
        );
        const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'library', name: 'a' }] };
        for (const bytes of images) lane.sign(PREDICATE.cyclonedx, bom, { key: 'builder', subject: sha256(bytes) });
      });
    if (image === undefined || other === undefined) throw new RangeError('expected two images');
    expect(listed(image, other)).toMatchObject({ verdict: 'pass' });
    expect(listed(image)).toMatchObject({ verdict: 'fail', actual: 'packages: no SBOM of image app-1' });
  });

  test('takes a finding for critical where a score that cannot be read stands beside others', () => {
    const found = (expression: string, ...scores: readonly string[]) =>
      judge(expression, (lane) => {
        const image = sha256(utf8('{"config":{},"layers":[]}'));
        lane.blobs.set(image, utf8('{"config":{},"layers":[]}'));
        lane.components = [{ name: 'app', kind: 'image', digest: image }];
        const result = [{ id: 'CVE-1', severity: scores.map((score) => ({ method: 'nvd', score })) }];
        lane.sign(PREDICATE.vulnerabilities, { scanner: { uri: 'trivy', result } }, { key: 'scanner', subject: image });
      });
    const onlyLow = 'vulnerabilities.all(each, each.severity == "low")';
    const nothingHigh = '!vulnerabilities.exists(each, each.severity in ["high", "critical"])';
    for (const rule of [onlyLow, nothingHigh]) {
      expect(found(rule, 'low', '2.0')).toMatchObject({ verdict: 'pass' });
      expect(found(rule, 'low', 'CVSS:3.1/AV:N'), rule).toMatchObject({ verdict: 'fail', code: 'GATE_RULE' });
      expect(found(rule, 'unreadable', 'high'), rule).toMatchObject({ verdict: 'fail', code: 'GATE_RULE' });
    }
  });

  test('refuses an error at evaluation, also behind an or that would swallow it', () => {
    for (const expression of ['release.components[99].name == "a"', '1 / (groups.size() - groups.size()) == 0', 'int(stage) == 1'])
      expect(judge(expression), expression).toMatchObject({ verdict: expect.stringMatching(/fail|error/) });
  });

  test.each([
    ['another type than true or false', '1 + 1', /true or false/],
    ['a text', '"true"', /true or false/],
    ['no CEL', 'stage ==', /CEL/],
    ['an unknown name', 'site == "x"', /expected the names/],
    ['an unknown field', 'release.nme == "x"', /expected one of the fields/],
    ['an unknown field behind an or', 'true || release.nme == "x"', /expected one of the fields/],
    ['an unknown field of an item', 'release.components.all(part, part.size == 1)', /expected one of the fields/],
    ['an unknown function', 'stage.reverse() == "x"', /./],
    ['too many loops inside each other', 'groups.all(a, groups.all(b, groups.all(c, a == b && b == c)))', /loops/],
    ['too many parts', Array.from({ length: 300 }, () => 'true').join(' && '), /parts/],
  ])('is refused when the pipeline is read: %s', (_, expression, why) => {
    expect(() => validateGateConfig('cel', settings(expression), [celGate])).toThrow(why);
  });

  test('loops over long lists inside each other refuse instead of taking hours', () => {
    const suites = Array.from({ length: 1200 }, (_, at) => `group-${String(at)}`);
    const rule = 'groups.all(a, groups.all(b, a.size() + b.size() > 0))';
    const lane = new GateLane(gate('cel', settings(rule)));
    lane.rollout = suites;
    expect(lane.check('cel', [celGate])).toMatchObject({ verdict: 'fail', actual: 'the lists are too long for loops inside each other' });
  });

  test('a rule of many parts goes over shorter lists: each part is evaluated in each round', () => {
    const groups = Array.from({ length: 400 }, (_, at) => `group-${String(at)}`);
    const verdictOf = (parts: number): unknown => {
      const body = Array.from({ length: parts }, (_, at) => `a + b != "${String(at)}"`).join(' && ');
      const lane = new GateLane(gate('cel', settings(`groups.all(a, groups.all(b, ${body}))`)));
      lane.rollout = groups;
      return lane.check('cel', [celGate]);
    };
    expect(verdictOf(2)).toMatchObject({ verdict: 'pass' });
    expect(verdictOf(70)).toMatchObject({ verdict: 'fail', actual: 'the lists are too long for loops inside each other' });
  });

  test('without its settings, or with others, it is refused', () => {
    for (const wrong of [{}, { message: 'x' }, { expression: 'true' }, { ...settings('true'), timeout: 1 }])
      expect(() => validateGateConfig('cel', wrong, [celGate])).toThrow(/read the settings of gate cel/);
  });
});
