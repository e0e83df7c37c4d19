import { type JsonObject, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { junit } from '../testing/gate-documents.js';
import { gate, GateLane } from '../testing/gate-lane.js';
import { testTraps } from '../testing/run-document-traps.js';

const lte = {
  profile: 'lte-worst',
  samples: 2000,
  latencyMs: { p50: 40, p95: 120.5, p99: 300 },
  jitterMs: 12,
  lossPercent: 0.4,
  retransmitPercent: 1.5,
  failoverMs: 900,
};
const BOUNDS = {
  profile: 'lte-worst',
  latencyMs: { p50: 50, p95: 150, p99: 300 },
  jitterMs: 20,
  lossPercent: 0.5,
  retransmitPercent: 2,
  failoverMs: 1000,
};

const conditions = (...profiles: readonly JsonObject[]): JsonObject => ({ apiVersion: 'sealane/v1', kind: 'Conditions', profiles });

const lane = (settings: JsonObject = { profiles: [BOUNDS] }): GateLane => new GateLane(gate('conditions', settings));

function measured(change: JsonObject = {}, settings?: JsonObject): GateLane {
  const it = lane(settings);
  it.tests(junit(1), { documents: { conditions: conditions({ ...lte, ...change }) } });
  return it;
}

const refused = { verdict: 'fail', code: 'EVIDENCE_CONDITIONS' };
const unreadable = { verdict: 'fail', code: 'EVIDENCE_RESULT' };

describe('conditions gate', () => {
  testTraps({ id: 'conditions', kind: 'conditions', code: 'EVIDENCE_CONDITIONS', lane, good: conditions(lte) });

  test.each<[string, JsonObject, string]>([
    ['p50', { latencyMs: { ...lte.latencyMs, p50: 51 } }, 'lte-worst: latencyMs.p50 51, at most 50'],
    ['p95', { latencyMs: { ...lte.latencyMs, p95: 151 } }, 'lte-worst: latencyMs.p95 151, at most 150'],
    ['p99', { latencyMs: { ...lte.latencyMs, p99: 300.1 } }, 'lte-worst: latencyMs.p99 300.1, at most 300'],
    ['jitter', { jitterMs: 21 }, 'lte-worst: jitterMs 21, at most 20'],
    ['loss', { lossPercent: 0.6 }, 'lte-worst: lossPercent 0.6, at most 0.5'],
    ['retransmits', { retransmitPercent: 3 }, 'lte-worst: retransmitPercent 3, at most 2'],
    ['failover', { failoverMs: 1001 }, 'lte-worst: failoverMs 1001, at most 1000'],
    ['a failover that was not measured', { failoverMs: null }, 'lte-worst: failoverMs was not measured'],
    ['another profile', { profile: 'lte-best' }, 'lte-worst: not measured'],
  ])('refuses %s out of its bound and names it', (_, change, actual) => {
    expect(measured(change).check('conditions')).toMatchObject({ ...refused, actual });
  });

  test.each(['latencyMs', 'jitterMs', 'lossPercent', 'retransmitPercent', 'failoverMs', 'samples'] as const)(
    'refuses a run without %s',
    (key) => {
      expect(measured({ [key]: undefined }).check('conditions')).toMatchObject(unreadable);
    },
  );

  test.each<[string, JsonObject]>([
    ['negative', { jitterMs: -1 }],
    ['a text', { jitterMs: '12' }],
    ['null', { jitterMs: null }],
    ['in another unit', { jitterMs: undefined, jitterSeconds: 0.01 }],
    ['more than all packets', { lossPercent: 101 }],
    ['of no sample', { samples: 0 }],
    ['percentiles that fall', { latencyMs: { p50: 40, p95: 30, p99: 50 } }],
  ])('refuses numbers that are %s', (_, change) => {
    expect(measured(change).check('conditions')).toMatchObject(unreadable);
  });

  test('refuses NaN and infinities, which JSON cannot say', () => {
    for (const word of ['NaN', 'Infinity', '1e999']) {
      const it = lane();
      const text = new TextDecoder().decode(utf8(JSON.stringify(conditions(lte)))).replace('"jitterMs":12', `"jitterMs":${word}`);
      it.tests(junit(1), { documents: { conditions: utf8(text) } });
      expect(it.check('conditions'), word).toMatchObject(unreadable);
    }
  });

  test('refuses no profile, a profile twice, and fewer samples than asked for', () => {
    const it = lane();
    it.tests(junit(1), { documents: { conditions: conditions() } });
    expect(it.check('conditions')).toMatchObject(unreadable);
    it.tests(junit(2), { documents: { conditions: conditions(lte, { ...lte, jitterMs: 1 }) } });
    expect(it.check('conditions')).toMatchObject(unreadable);
    expect(measured({}, { profiles: [{ ...BOUNDS, minSamples: 2001 }] }).check('conditions')).toMatchObject(refused);
  });

  test('nothing lost and nothing sent again is measured, and within every bound', () => {
    const none = { lossPercent: 0, retransmitPercent: 0 };
    expect(measured(none, { profiles: [{ ...BOUNDS, ...none }] }).check('conditions')).toMatchObject({ verdict: 'pass' });
  });

  test('the last measurement of a profile counts, in whichever suite it was made', () => {
    const it = measured();
    it.tests(junit(2), { suite: 'night', documents: { conditions: conditions({ ...lte, jitterMs: 30 }) } });
    expect(it.check('conditions')).toMatchObject(refused);
    it.tests(junit(3), { suite: 'night', documents: { conditions: conditions(lte) } });
    expect(it.check('conditions')).toMatchObject({ verdict: 'pass' });
  });

  test('a profile that cannot fail over needs no bound for it', () => {
    const { failoverMs: _, ...bounds } = BOUNDS;
    expect(measured({ failoverMs: null }, { profiles: [bounds] }).check('conditions')).toMatchObject({ verdict: 'pass' });
  });

  test.each([
    ['no profile', { profiles: [] }],
    ['a profile twice', { profiles: [BOUNDS, BOUNDS] }],
    ['a number that is not bounded', { profiles: [{ ...BOUNDS, jitterMs: undefined }] }],
    ['a bound below zero', { profiles: [{ ...BOUNDS, jitterMs: -1 }] }],
    ['nothing', {}],
  ])('cannot be judged by a policy with %s', (_, settings) => {
    expect(lane(JSON.parse(JSON.stringify(settings)) as JsonObject).check('conditions')).toMatchObject({
      verdict: 'error',
      code: 'GATE_ERROR',
    });
  });
});
