/** What holds for every gate: order, errors, and that nothing arbitrary ever passes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foundHardware, type JsonObject, PREDICATE, type Statement } from '@sealane/core';
import { codeOf } from '../testing/code-of.js';
import { hbom, junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf, POLICY, RELEASE } from '../testing/gate-lane.js';
import { evaluateGates, evidenceToApprove, GATES, validateGateConfig } from './index.js';
import { PROMOTER_VERDICTS } from './promoter-verdicts.js';

const allGates = [gate('provenance'), gate('tests'), gate('hardware'), gate('approvals', { count: 2 }), gate('soak', { hours: 1 })];

const provenance: JsonObject = {
  buildDefinition: { buildType: 'https://build.example/v1', externalParameters: {}, resolvedDependencies: [] },
  runDetails: { builder: { id: 'https://builder.example' } },
};

const KNOWN = [...GATES.map(({ id }) => id), ...PROMOTER_VERDICTS].join(', ');

function goodLane(): GateLane {
  const lane = new GateLane(...allGates);
  lane.provenance(provenance);
  lane.tests(junit(3), { hardware: hbom() });
  lane.fleet = [{ site: 'site-a', hardware: foundHardware(hbom({ serial: 'NR0002' })), reportedAt: null }];
  lane.approve('alice');
  lane.approve('bob');
  return lane;
}

describe('evaluating', () => {
  test('a lane with all that policy asks for passes, stage order first, then the gates in the order of policy', () => {
    const checks = evaluateGates(goodLane().input());
    expect(checks.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'stage-order pass',
      'provenance pass',
      'tests pass',
      'hardware pass',
      'approvals pass',
      'soak pass',
    ]);
    for (const check of checks) expect(check.evidence.length).toBeGreaterThan(0);
  });

  test('the same input gives the same checks', () => {
    const input = goodLane().input();
    expect(evaluateGates(input)).toEqual(evaluateGates(input));
    expect(evaluateGates({ ...input, statements: [...input.statements].reverse() })).toEqual(evaluateGates(input));
  });

  test('stage order is judged where policy names no gate, and once where policy names it', () => {
    const [none, named] = [new GateLane(), new GateLane(gate('stage-order'))];
    for (const lane of [none, named]) expect(evaluateGates(lane.input()).map(({ id }) => id)).toEqual(['stage-order']);
  });

  test('an unknown gate is an error that lists the known ones', () => {
    expect(new GateLane(gate('weather')).check('weather')).toMatchObject({
      verdict: 'error',
      code: 'GATE_UNKNOWN',
      expected: `one of the gates ${KNOWN}`,
    });
  });

  test.each(['constructor', '__proto__', 'toString', ''])('a gate called %j is unknown', (use) => {
    expect(evaluateGates(new GateLane(gate(use)).input()).at(-1)).toMatchObject({ verdict: 'error', code: 'GATE_UNKNOWN' });
  });

  test.each([
    ['tests', { minPassed: 0 }],
    ['tests', { minpassed: 5 }],
    ['approvals', {}],
    ['approvals', { count: '2' }],
    ['soak', {}],
    ['soak', { hours: 1, minutes: 1 }],
    ['hardware', { unknown: 'ignore' }],
    ['provenance', { builder: '' }],
    ['stage-order', { skip: 'dev' }],
  ])('malformed settings of %s are an error, never a pass: %j', (use, settings: JsonObject) => {
    if (use !== 'stage-order') expect(new GateLane(gate(use, settings)).check(use)).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
    expect(codeOf(() => validateGateConfig(use, settings))).toBe('CONFIG_INVALID');
  });

  test('a gate that throws is an error, and the others are still judged', () => {
    const lane = goodLane();
    const checks = evaluateGates({
      ...lane.input(),
      blob: () => {
        throw new RangeError('disk fell out');
      },
    });
    const verdicts = Object.fromEntries(checks.map(({ id, verdict, actual }) => [id, `${verdict} ${actual}`]));
    expect(verdicts).toMatchObject({ tests: 'error disk fell out', hardware: 'error disk fell out' });
    expect(verdicts.approvals).toMatch(/^error list the evidence to see: gate tests cannot be judged/);
    expect(codeOf(() => evidenceToApprove({ ...lane.input(), policy: { ...lane.policy, gates: [gate('tests', { nonsense: 1 })] } }))).toBe(
      'GATE_ERROR',
    );
    expect(verdicts['stage-order']).toMatch(/^pass/);
  });

  test.each([
    ['dev', 'stage key'],
    ['alice', 'approver'],
    ['author', 'author'],
  ])('a revocation by %s (%s) refuses, also one in a form not known yet', (key) => {
    const lane = goodLane();
    const statement: Statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: RELEASE.slice(7) } }],
      predicateType: PREDICATE.revocation,
      predicate: { reason: 'leaks', newField: 1 },
    };
    lane.statements.push({ digest: digestOf('revocation'), keyId: keyOf(key), logIndex: 90, statement, checkpoint: null, witnessed: null });
    expect(evaluateGates(lane.input()).at(-1)).toMatchObject({
      id: 'revoked',
      verdict: 'fail',
      code: 'RELEASE_REVOKED',
      actual: 'revoked: leaks',
    });
    lane.statements.pop();
    lane.statements.push({
      digest: digestOf('revocation'),
      keyId: keyOf('stranger'),
      logIndex: 90,
      statement,
      checkpoint: null,
      witnessed: null,
    });
    expect(evaluateGates(lane.input()).map(({ id }) => id)).not.toContain('revoked');
  });

  test('a check that rests on more statements than a decision can record is an error, and says so', () => {
    const lane = goodLane();
    for (let at = 0; at < 512; at += 1) lane.tests(junit(1, 0, `suite-${String(at)}`));
    expect(lane.check('tests')).toMatchObject({ verdict: 'error', code: 'GATE_ERROR', actual: 'reads 513 statements', evidence: [] });
  });

  test('what a report or inventory says cannot draw on a terminal nor overflow a decision', () => {
    const lane = goodLane();
    lane.fleet = Array.from({ length: 2000 }, (_, n) => ({
      site: `site-${n}`,
      hardware: foundHardware(hbom({ model: `\u001b[2J${'x'.repeat(200)}` })),
      reportedAt: null,
    }));
    const check = lane.check('hardware');
    expect(check.actual.length).toBeLessThanOrEqual(2000);
    expect(check.actual).not.toContain('\u001b');
  });
});

describe('settings', () => {
  test('an unknown gate names the known ones, an unknown setting those of the gate', () => {
    expect(() => validateGateConfig('cve', {})).toThrow(`read gate cve: expected one of ${KNOWN}, got another`);
    expect(() => validateGateConfig('tests', { min: 1 })).toThrow(
      '(known: minPassed, suites, cases, faults, maxSkipped, flaky, maxAgeHours)',
    );
    expect(() => validateGateConfig('stage-order', { min: 1 })).toThrow('(it has none)');
  });

  test('good settings are taken', () => {
    for (const { use, with: settings } of allGates) expect(codeOf(() => validateGateConfig(use, settings))).toBeUndefined();
  });

  test('every gate is rechecked at sites, but for the one that admission judges by itself', () => {
    expect(GATES.filter(({ recheckedAtSite }) => !recheckedAtSite).map(({ id }) => id)).toEqual(['variables']);
  });
});

describe('arbitrary statements', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const hex = fc.constantFrom(...['release', 'app'].map((name) => digestOf(name).slice(7)));
  const types = Object.values(PREDICATE);
  const names = ['dev', 'edge-preprod', 'prod', 'author', 'builder', 'lab', 'alice', 'bob', 'stranger'];
  const predicate = fc.oneof(
    fc.dictionary(
      fc.constantFrom(
        'result',
        'configuration',
        'verificationResult',
        'sealane_promotion',
        'buildDefinition',
        'runDetails',
        'verdict',
        'release',
        'stage',
        'seen',
      ),
      json,
    ),
    fc.constant({
      result: 'PASSED',
      configuration: [
        { name: 'x', digest: { sha256: 'a'.repeat(64) }, annotations: { format: 'junit', total: 9, passed: 9, failed: 0, skipped: 0 } },
      ],
    }),
    fc.constant({ verificationResult: 'PASSED' }),
    fc.constant({ verdict: 'approve', release: RELEASE, stage: 'prod', rollout: ['all'], policy: POLICY, seen: [] }),
    fc.constant(provenance),
  );
  const statement = fc.record({
    predicateType: fc.constantFrom(...types),
    sha256: hex,
    predicate,
    key: fc.constantFrom(...names),
    logIndex: fc.nat(50),
  });

  test('never pass any gate but provenance, and that only by a builder about this release', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 12 }), fc.array(json), (made, hboms) => {
        const lane = new GateLane(...allGates);
        lane.statements.length = 0;
        for (const [n, { predicateType, sha256, predicate: body, key, logIndex }] of made.entries()) {
          const statementMade: Statement = {
            _type: 'https://in-toto.io/Statement/v1',
            subject: [{ digest: { sha256 } }],
            predicateType,
            predicate: body,
          };
          lane.statements.push({
            digest: digestOf(`s${String(n)}`),
            keyId: keyOf(key),
            logIndex,
            statement: statementMade,
            checkpoint: null,
            witnessed: null,
          });
        }
        lane.fleet = hboms.map((value, n) => ({
          site: `s${String(n)}`,
          hardware: typeof value === 'object' && !Array.isArray(value) && value !== null ? foundHardware(value as JsonObject) : null,
          reportedAt: null,
        }));
        for (const check of evaluateGates(lane.input())) {
          expect(check.remedy !== '' || check.verdict === 'pass').toBe(true);
          if (check.verdict !== 'pass') expect(check.code).toBeDefined();
          else expect(check.id).toBe('provenance');
        }
      }),
      { numRuns: 300 },
    );
  });
});
