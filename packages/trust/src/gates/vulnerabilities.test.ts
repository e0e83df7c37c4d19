/** Scans: nothing is taken for clean because nobody looked, looked elsewhere, long ago, or with an old database. */
import { canonicalJson, type Digest, type JsonObject, PREDICATE, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../testing/code-of.js';
import { digestOf, gate, GateLane, RELEASE } from '../testing/gate-lane.js';
import { scanOfSarif } from '../scans/sarif.js';
import { vulnerabilitiesGate } from './vulnerabilities.js';

const FINISHED = '2026-11-23T10:00:00Z';
const TIMES = { db: { lastUpdate: '2026-11-23T06:00:00Z' }, metadata: { scanFinishedOn: FINISHED } };

function scan(
  found: readonly (readonly [string, string | readonly string[], string?])[],
  change: { uri?: string; db?: JsonObject; metadata?: JsonObject } = {},
): JsonObject {
  const result = found.map(([id, scores, purl]) => ({
    id,
    severity: [scores].flat().map((score) => ({ method: 'nvd', score })),
    ...(purl === undefined ? {} : { annotations: [{ purl }] }),
  }));
  const { uri = 'pkg:github/aquasecurity/trivy@1', db = TIMES.db, metadata = TIMES.metadata } = change;
  return { scanner: { uri, db, result }, metadata };
}

function vex(id: string, analysis: JsonObject, affects: readonly string[] = []): JsonObject {
  return { bomFormat: 'CycloneDX', specVersion: '1.6', vulnerabilities: [{ id, analysis, affects: affects.map((ref) => ({ ref })) }] };
}

const REFUTED = { state: 'not_affected', justification: 'code_not_reachable' };

/** A lane whose release has one image; `platforms` makes it an index. */
function laneOf(settings: JsonObject = {}, platforms: readonly Digest[] = []): GateLane & { readonly image: Digest } {
  const lane = new GateLane(gate('vulnerabilities', settings));
  const bytes =
    platforms.length === 0 ? utf8('{"config":{},"layers":[]}') : canonicalJson({ manifests: platforms.map((digest) => ({ digest })) });
  const image = sha256(bytes);
  lane.blobs.set(image, bytes);
  lane.components = [{ name: 'app', kind: 'image', digest: image }];
  return Object.assign(lane, { image });
}

const check = (lane: GateLane): ReturnType<GateLane['check']> => lane.check('vulnerabilities', [vulnerabilitiesGate]);

function judge(
  predicate: JsonObject,
  settings: JsonObject = {},
  more: (lane: ReturnType<typeof laneOf>) => void = () => undefined,
): ReturnType<GateLane['check']> {
  const lane = laneOf(settings);
  lane.sign(PREDICATE.vulnerabilities, predicate, { key: 'scanner', subject: lane.image });
  more(lane);
  return check(lane);
}

describe('vulnerabilities', () => {
  test('passes a fresh scan that found nothing, or only what thresholds let through', () => {
    expect(judge(scan([]))).toMatchObject({ verdict: 'pass', actual: 'nothing stands' });
    expect(
      judge(
        scan([
          ['CVE-1', 'medium'],
          ['CVE-2', '3.9'],
          ['CVE-3', 'negligible'],
        ]),
      ).verdict,
    ).toBe('pass');
    expect(judge(scan([['CVE-1', 'high']]), { max: { high: 1 } }).verdict).toBe('pass');
  });

  test.each([
    ['a word', [['CVE-1', 'CRITICAL']], {}, '1 critical'],
    ['a score', [['CVE-1', '9.8']], {}, '1 critical'],
    ['high', [['CVE-1', '7.0']], {}, '1 high'],
    [
      'more than may be',
      [
        ['CVE-1', 'low'],
        ['CVE-2', 'low'],
      ],
      { max: { low: 1 } },
      '2 low',
    ],
    ['an unknown severity', [['CVE-1', 'unknown']], {}, '1 unknown'],
    ['a vector that is no score', [['CVE-1', 'CVSS:3.1/AV:N']], {}, '1 unknown'],
    ['a score above all', [['CVE-1', '11']], {}, '1 unknown'],
    ['a score that cannot be read beside a low one', [['CVE-1', ['low', 'CVSS:3.1/AV:N']]], {}, '1 unknown'],
    [
      'a word that nobody knows before a low one, whatever may be',
      [['CVE-1', ['severe', '2.0']]],
      { max: { critical: 9, high: 9 } },
      '1 unknown',
    ],
    ['the highest of several', [['CVE-1', ['low', '9.1', 'medium']]], {}, '1 critical'],
    ['an unknown severity, whatever may be', [['CVE-1', '']], { max: { critical: 9, high: 9 } }, '1 unknown'],
  ] as const)('refuses %s', (_, found, settings, why) => {
    expect(judge(scan(found), settings)).toMatchObject({
      verdict: 'fail',
      code: 'EVIDENCE_VULNERABLE',
      actual: expect.stringContaining(why),
    });
  });

  test.each([
    ['no scanner', { scanner: { result: [] }, metadata: TIMES.metadata }, 'EVIDENCE_RESULT', 'cannot be read'],
    ['an empty name of a scanner', scan([], { uri: '' }), 'EVIDENCE_RESULT', 'cannot be read'],
    ['no list of results', { scanner: { uri: 'x', db: TIMES.db }, metadata: TIMES.metadata }, 'EVIDENCE_RESULT', 'cannot be read'],
    [
      'results of another shape',
      { ...scan([]), scanner: { uri: 'x', db: TIMES.db, result: [{ vulnerability: { id: 'CVE-1' } }] } },
      'EVIDENCE_RESULT',
      'cannot be read',
    ],
    ['nothing at all', {}, 'EVIDENCE_RESULT', 'cannot be read'],
    [
      'a scan of long ago',
      scan([], { metadata: { scanFinishedOn: '2026-11-17T09:59:59Z' }, db: { lastUpdate: '2026-11-17T09:00:00Z' } }),
      'EVIDENCE_RESULT',
      'older than 7 days',
    ],
    ['a scan of tomorrow', scan([], { metadata: { scanFinishedOn: '2026-11-24T09:00:01Z' } }), 'EVIDENCE_RESULT', 'after it was logged'],
    ['a scan without an end', scan([], { metadata: {} }), 'EVIDENCE_RESULT', 'does not say when it ended'],
    ['an end that is no time', scan([], { metadata: { scanFinishedOn: 'today' } }), 'EVIDENCE_RESULT', 'does not say when it ended'],
    ['an old database', scan([], { db: { lastUpdate: '2026-11-16T09:00:00Z' } }), 'EVIDENCE_RESULT', 'database older than 7 days'],
    ['a database of no age', scan([], { db: {} }), 'EVIDENCE_RESULT', 'how old its database was'],
    ['a database of after the scan', scan([], { db: { lastUpdate: '2026-11-23T10:00:01Z' } }), 'EVIDENCE_RESULT', 'newer than the scan'],
  ] as const)('refuses %s', (_, predicate, code, why) => {
    expect(judge(predicate)).toMatchObject({ verdict: 'fail', code, actual: expect.stringContaining(why) });
  });

  test('refuses no scan, one of another digest, and one by another key', () => {
    const [none, other, forged] = [laneOf(), laneOf(), laneOf()];
    other.sign(PREDICATE.vulnerabilities, scan([]), { key: 'scanner', subject: digestOf('another image') });
    forged.sign(PREDICATE.vulnerabilities, scan([]), { key: 'lab', subject: forged.image });
    expect(check(none)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: 'no scan of image app' });
    expect(check(other)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SUBJECT' });
    expect(check(forged)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SIGNER' });
  });

  test('a scan of the release is none of its images, and of one image none of the other', () => {
    const lane = laneOf();
    lane.sign(PREDICATE.vulnerabilities, scan([]), { key: 'scanner', subject: RELEASE });
    expect(check(lane)).toMatchObject({ verdict: 'fail', actual: 'no scan of image app, or of each platform of it' });
    const two = laneOf();
    const other = utf8('{"config":{},"layers":[1]}');
    two.blobs.set(sha256(other), other);
    two.components = [...two.components, { name: 'db', kind: 'image', digest: sha256(other) }];
    two.sign(PREDICATE.vulnerabilities, scan([]), { key: 'scanner', subject: two.image });
    expect(check(two)).toMatchObject({ verdict: 'fail', actual: 'no scan of image db, or of each platform of it' });
  });

  test('an index needs a scan of its own or one of each platform, and a finding in any counts', () => {
    const platforms = [digestOf('amd64'), digestOf('arm64')] as const;
    const lane = laneOf({}, platforms);
    lane.sign(PREDICATE.vulnerabilities, scan([]), { key: 'scanner', subject: platforms[0] });
    expect(check(lane).verdict).toBe('fail');
    lane.sign(PREDICATE.vulnerabilities, scan([], { uri: 'grype' }), { key: 'scanner', subject: platforms[1] });
    expect(check(lane).verdict).toBe('pass');
    lane.sign(PREDICATE.vulnerabilities, scan([['CVE-1', 'high']]), { key: 'scanner', subject: lane.image });
    expect(check(lane)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_VULNERABLE' });
  });

  test('a platform that only calls itself an attestation needs a scan too: sites would run it', () => {
    const [amd64, arm64] = [digestOf('amd64'), digestOf('arm64')];
    const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
    const judged = (platform?: JsonObject): string => {
      const lane = laneOf();
      const other = platform === undefined ? {} : { platform };
      const bytes = canonicalJson({ manifests: [{ digest: amd64 }, { digest: arm64, annotations, ...other }] });
      lane.blobs.set(sha256(bytes), bytes);
      lane.components = [{ name: 'app', kind: 'image', digest: sha256(bytes) }];
      lane.sign(PREDICATE.vulnerabilities, scan([]), { key: 'scanner', subject: amd64 });
      return check(lane).verdict;
    };
    expect(judged({ os: 'unknown', architecture: 'unknown' })).toBe('pass');
    expect([judged(), judged({ os: 'linux', architecture: 'arm64' }), judged({ os: 'linux', architecture: 'unknown' })]).toEqual(
      Array.from({ length: 3 }, () => 'fail'),
    );
  });

  test('each scanner that policy names must have scanned, beside whoever else did', () => {
    const scanners = ['pkg:github/aquasecurity/trivy', 'pkg:github/anchore/grype@0.9'];
    expect(judge(scan([]), { scanners })).toMatchObject({
      verdict: 'fail',
      actual: 'image app: no fresh scan by pkg:github/anchore/grype@0.9',
    });
    const both = (lane: ReturnType<typeof laneOf>): void =>
      void lane.sign(PREDICATE.vulnerabilities, scan([], { uri: 'pkg:github/anchore/grype@1' }), { key: 'scanner', subject: lane.image });
    expect(judge(scan([]), { scanners }, both)).toMatchObject({ verdict: 'pass' });
  });

  test('the newest scan of each scanner counts, whatever order', () => {
    const bad = scan([['CVE-1', 'high']]);
    const again = (predicate: JsonObject) => (lane: ReturnType<typeof laneOf>) => {
      lane.sign(PREDICATE.vulnerabilities, predicate, { key: 'scanner', subject: lane.image });
    };
    expect(judge(bad, {}, again(scan([]))).verdict).toBe('pass');
    expect(judge(scan([]), {}, again(bad)).verdict).toBe('fail');
    expect(judge(bad, {}, again(scan([], { uri: 'grype' }))).verdict).toBe('fail');
    expect(judge(scan([]), { scanners: ['grype'] })).toMatchObject({
      verdict: 'fail',
      actual: expect.stringContaining('no fresh scan by grype'),
    });
  });

  test('VEX refutes by a named signer, with a reason, for the image and package it names', () => {
    const found = scan([['CVE-1', 'high', 'pkg:npm/a@1']]);
    const say = (document: JsonObject, change: { key?: string; subject?: Digest } = {}) =>
      judge(found, {}, (lane) => lane.sign(PREDICATE.cyclonedx, document, { key: 'security', subject: lane.image, ...change }));
    expect(say(vex('CVE-1', REFUTED)).verdict).toBe('pass');
    expect(say(vex('CVE-1', REFUTED, ['pkg:npm/a@1'])).verdict).toBe('pass');
    expect(say(vex('CVE-1', REFUTED, ['pkg:npm/b@1'])).verdict).toBe('fail');
    expect(say(vex('CVE-2', REFUTED)).verdict).toBe('fail');
    expect(say(vex('CVE-1', { state: 'not_affected' })).verdict).toBe('fail');
    expect(say(vex('CVE-1', { state: 'not_affected', justification: 'trust me' })).verdict).toBe('fail');
    expect(say(vex('CVE-1', { state: 'in_triage', justification: 'code_not_reachable' })).verdict).toBe('fail');
    expect(say(vex('CVE-1', REFUTED), { key: 'scanner' }).verdict).toBe('fail');
    expect(say(vex('CVE-1', REFUTED), { subject: digestOf('another image') }).verdict).toBe('fail');
    const takenBack = judge(found, {}, (lane) => {
      lane.sign(PREDICATE.cyclonedx, vex('CVE-1', REFUTED), { key: 'security', subject: lane.image });
      lane.sign(PREDICATE.cyclonedx, vex('CVE-1', { state: 'exploitable' }), { key: 'security', subject: lane.image });
    });
    expect(takenBack.verdict).toBe('fail');
  });

  describe('VEX that says nothing of what was found refutes nothing', () => {
    const A = 'pkg:npm/a@1';
    const judged = (found: JsonObject, document: JsonObject): string =>
      judge(found, {}, (lane) => lane.sign(PREDICATE.cyclonedx, document, { key: 'security', subject: lane.image })).verdict;
    const parts = (ref: string, purl: string): JsonObject => ({ components: [{ 'bom-ref': ref, name: 'a', purl }] });
    const several = (...vulnerabilities: readonly JsonObject[]): JsonObject => ({
      ...{ bomFormat: 'CycloneDX', specVersion: '1.6' },
      vulnerabilities: vulnerabilities.map((each) => ({ id: 'CVE-1', ...each })),
    });
    const inSeveral = (...purls: readonly string[]): JsonObject => {
      const { scanner, ...rest } = scan([]) as { readonly scanner: JsonObject };
      const annotations = purls.map((purl) => ({ purl }));
      return { ...rest, scanner: { ...scanner, result: [{ id: 'CVE-1', severity: [{ method: 'nvd', score: 'high' }], annotations }] } };
    };

    test('a finding without a package is refuted by no claim about one', () => {
      expect(judged(scan([['CVE-1', 'high']]), vex('CVE-1', REFUTED, [A]))).toBe('fail');
      expect(judged(scan([['CVE-1', 'high']]), vex('CVE-1', REFUTED))).toBe('pass');
    });

    test('a reference is followed to its package, and one to nowhere is about nothing', () => {
      const found = scan([['CVE-1', 'high', A]]);
      const say = (ref: string, more: JsonObject = {}): string => judged(found, { ...vex('CVE-1', REFUTED, [ref]), ...more });
      expect(say('a-1')).toBe('fail');
      expect(say('a-1', parts('a-1', A))).toBe('pass');
      expect(say('a-1', { components: [{ name: 'app', ...parts('a-1', A) }] })).toBe('pass');
      expect(say('a-1', parts('a-1', 'pkg:npm/b@1'))).toBe('fail');
      expect(say(A, parts(A, 'pkg:npm/b@1'))).toBe('fail');
      expect(say(`urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#${A}`)).toBe('pass');
      expect(say('urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a-1')).toBe('fail');
      expect(say('app', { metadata: { component: { 'bom-ref': 'app', name: 'app', type: 'container' } } })).toBe('pass');
    });

    test('one vulnerability in several packages is refuted in each', () => {
      expect(judged(inSeveral(A, 'pkg:npm/b@1'), vex('CVE-1', REFUTED, [A]))).toBe('fail');
      expect(judged(inSeveral(A, 'pkg:npm/b@1'), vex('CVE-1', REFUTED, [A, 'pkg:npm/b@1']))).toBe('pass');
    });

    test('several analyses in one document: each speaks for what it names, and one that is affected is', () => {
      const of = (ref: string, analysis: JsonObject): JsonObject => ({ analysis, affects: [{ ref }] });
      const both = several(of(A, REFUTED), of('pkg:npm/b@1', REFUTED));
      expect(judged(inSeveral(A, 'pkg:npm/b@1'), both)).toBe('pass');
      const exploitable = { state: 'exploitable' };
      expect(judged(scan([['CVE-1', 'high', A]]), several(of(A, exploitable), of(A, REFUTED)))).toBe('fail');
      expect(judged(scan([['CVE-1', 'high', A]]), several({ analysis: exploitable }, of(A, REFUTED)))).toBe('fail');
      expect(judged(scan([['CVE-1', 'high', A]]), several(of('pkg:npm/b@1', exploitable), of(A, REFUTED)))).toBe('pass');
      expect(judged(scan([['CVE-1', 'high']]), several(of(A, exploitable), { analysis: REFUTED }))).toBe('fail');
    });

    test('what is said of one platform refutes nothing of another', () => {
      const [amd64, arm64] = [digestOf('amd64'), digestOf('arm64')];
      const lane = laneOf({}, [amd64, arm64]);
      const say = (document: JsonObject, subject: Digest): string => {
        lane.sign(PREDICATE.cyclonedx, document, { key: 'security', subject });
        return check(lane).verdict;
      };
      lane.sign(PREDICATE.vulnerabilities, scan([['CVE-1', 'high', A]]), { key: 'scanner', subject: arm64 });
      lane.sign(PREDICATE.vulnerabilities, scan([]), { key: 'scanner', subject: amd64 });
      expect(say(vex('CVE-2', REFUTED), arm64)).toBe('fail');
      expect(say(vex('CVE-1', REFUTED), amd64)).toBe('fail');
      expect(say(vex('CVE-1', REFUTED), arm64)).toBe('pass');
      expect(say(vex('CVE-1', { state: 'exploitable' }), arm64)).toBe('fail');
      expect(say(vex('CVE-1', REFUTED), lane.image)).toBe('pass');
    });

    test('what was found in the whole is refuted for every platform', () => {
      const [amd64, arm64] = [digestOf('amd64'), digestOf('arm64')];
      const lane = laneOf({}, [amd64, arm64]);
      lane.sign(PREDICATE.vulnerabilities, scan([['CVE-1', 'high', A]]), { key: 'scanner', subject: lane.image });
      lane.sign(PREDICATE.cyclonedx, vex('CVE-1', REFUTED), { key: 'security', subject: amd64 });
      expect(check(lane).verdict).toBe('fail');
      lane.sign(PREDICATE.cyclonedx, vex('CVE-1', REFUTED), { key: 'security', subject: arm64 });
      expect(check(lane).verdict).toBe('pass');
    });
  });

  test('of two scanners the worse word counts, whichever came last', () => {
    for (const severities of [
      ['critical', 'low'],
      ['low', 'critical'],
      ['unknown', 'low'],
    ] as const) {
      const lane = laneOf();
      severities.forEach((severity, at) =>
        lane.sign(PREDICATE.vulnerabilities, scan([['CVE-1', severity, 'pkg:npm/a@1']], { uri: `scanner-${at}` }), {
          key: 'scanner',
          subject: lane.image,
        }),
      );
      expect(check(lane)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_VULNERABLE' });
    }
  });

  test('an ignored one has an owner and an end', () => {
    const ignore = { id: 'CVE-1', owner: 'security', reason: 'no fix', expiresAt: '2026-11-24T10:00:01Z' };
    expect(judge(scan([['CVE-1', 'high']]), { ignore: [ignore] }).verdict).toBe('pass');
    expect(judge(scan([['CVE-1', 'high']]), { ignore: [{ ...ignore, expiresAt: '2026-11-24T10:00:00Z' }] }).verdict).toBe('fail');
    expect(judge(scan([]), { ignore: [{ id: 'CVE-1', expiresAt: ignore.expiresAt }] })).toMatchObject({ verdict: 'error' });
  });

  test('a release without an image, or whose image is not there, is refused', () => {
    const [none, missing] = [laneOf(), laneOf()];
    none.components = [];
    missing.blobs.clear();
    expect(check(none)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    expect(check(missing)).toMatchObject({ verdict: 'fail', code: 'CONTENT_MISSING' });
  });
});

describe('SARIF', () => {
  const at = { finishedAt: FINISHED, databaseAt: '2026-11-23T06:00:00Z' };
  const rule = (id: string, severity?: string): JsonObject => ({
    id,
    ...(severity === undefined ? {} : { properties: { 'security-severity': severity } }),
  });
  const sarif = (results: readonly JsonObject[], change: JsonObject = {}): JsonObject => ({
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'Trivy', rules: [rule('CVE-1', '9.1'), rule('CVE-2')] } }, results, ...change }],
  });

  test('is read as the scanner meant it', () => {
    const judged = (results: readonly JsonObject[]) => judge(scanOfSarif(sarif(results), at));
    expect(judged([]).verdict).toBe('pass');
    expect(judged([{ ruleId: 'CVE-1' }])).toMatchObject({ actual: expect.stringContaining('1 critical') });
    expect(judged([{ ruleIndex: 0 }])).toMatchObject({ actual: expect.stringContaining('1 critical') });
    expect(judged([{ ruleId: 'CVE-2', level: 'note' }])).toMatchObject({ actual: expect.stringContaining('1 unknown') });
    expect(judged([{ ruleId: 'CVE-1', suppressions: [{ kind: 'inSource' }] }]).verdict).toBe('fail');
    expect(judged([{ ruleId: 'CVE-1', kind: 'pass' }]).verdict).toBe('pass');
  });

  test.each([
    ['no run', { version: '2.1.0', runs: [] }],
    ['no results', { version: '2.1.0', runs: [{ tool: { driver: { name: 'Trivy' } } }] }],
    ['no scanner', { version: '2.1.0', runs: [{ tool: { driver: {} }, results: [] }] }],
    ['a run that failed', sarif([], { invocations: [{ executionSuccessful: false }] })],
    ['results elsewhere', sarif([], { externalPropertyFileReferences: { results: [] } })],
    ['a result of no rule', sarif([{ message: { text: 'x' } }])],
    ['another version', { ...sarif([]), version: '2.0.0' }],
  ])('with %s is refused', (_, document) => {
    expect(codeOf(() => scanOfSarif(document, at))).toBe('EVIDENCE_RESULT');
  });
});
