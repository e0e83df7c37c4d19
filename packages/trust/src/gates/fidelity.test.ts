import type { JsonObject } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import type { DeclaredDependency } from '../evidence/predicates/declaration.js';
import type { DependencyFidelity } from '../reports/fidelity.js';
import { junit } from '../testing/gate-documents.js';
import { gate, GateLane } from '../testing/gate-lane.js';
import { testTraps } from '../testing/run-document-traps.js';

const DECLARED: readonly DeclaredDependency[] = [
  { name: 'plc', criticality: 'high' },
  { name: 'broker', criticality: 'medium' },
  { name: 'weather', criticality: 'low' },
];
const plc: DependencyFidelity = { name: 'plc', rung: 'hardware', data: 'real' };
const broker: DependencyFidelity = { name: 'broker', rung: 'partial', data: 'synthetic' };
const weather: DependencyFidelity = { name: 'weather', rung: 'mock', data: 'synthetic' };

const met = (...dependencies: readonly DependencyFidelity[]): JsonObject => ({ apiVersion: 'sealane/v1', kind: 'Fidelity', dependencies });

function lane(settings: JsonObject = {}): GateLane {
  const it = new GateLane(gate('fidelity', settings));
  it.declares = { dependencies: DECLARED };
  return it;
}

function tested(...runs: readonly JsonObject[]): GateLane {
  const it = lane();
  runs.forEach((fidelity, at) => it.tests(junit(at + 1), { documents: { fidelity } }));
  return it;
}

const refused = { verdict: 'fail', code: 'EVIDENCE_FIDELITY' };

describe('fidelity gate', () => {
  testTraps({ id: 'fidelity', kind: 'fidelity', code: 'EVIDENCE_FIDELITY', lane, good: met(plc, broker, weather) });

  test.each<[string, readonly DependencyFidelity[], string]>([
    ['a mock', [{ ...plc, rung: 'mock' }, broker, weather], 'plc (high): expected hardware with real data, tested mock with real data'],
    [
      'half of it',
      [{ ...plc, rung: 'partial' }, broker, weather],
      'plc (high): expected hardware with real data, tested partial with real data',
    ],
    ['synthetic data', [{ ...plc, data: 'synthetic' }, broker, weather], 'tested hardware with synthetic data'],
    ['nothing', [broker, weather], 'plc (high): expected hardware with real data, tested not at all'],
    ['a mock where the middle is asked for', [plc, { ...broker, rung: 'mock' }, weather], 'broker (medium): expected partial'],
  ])('refuses %s where more is asked for', (_, dependencies, line) => {
    expect(tested(met(...dependencies)).check('fidelity')).toMatchObject({ ...refused, actual: expect.stringContaining(line) as string });
  });

  test('takes rungs from several runs, but rung and data of one dependency from one', () => {
    expect(tested(met(plc), met(broker, weather)).check('fidelity')).toMatchObject({ verdict: 'pass' });
    const halves = met({ ...plc, data: 'synthetic' }, broker, weather);
    expect(tested(halves, met({ ...plc, rung: 'mock' })).check('fidelity')).toMatchObject(refused);
  });

  test('refuses a dependency that a run met and the release does not declare', () => {
    expect(tested(met(plc, broker, weather, { ...plc, name: 'gps' })).check('fidelity')).toMatchObject({
      ...refused,
      actual: 'gps is not declared by the release',
    });
  });

  test('refuses a release that declares nothing; declaring that there is none still needs a run that says so', () => {
    const it = tested(met());
    it.declares = undefined;
    expect(it.check('fidelity')).toMatchObject({ ...refused, actual: 'the release does not declare its dependencies' });
    it.declares = { variables: [] };
    expect(it.check('fidelity')).toMatchObject(refused);
    it.declares = { dependencies: [] };
    expect(it.check('fidelity')).toMatchObject({ verdict: 'pass' });
    const none = lane();
    none.declares = { dependencies: [] };
    expect(none.check('fidelity')).toMatchObject(refused);
  });

  test('asks for what policy says of each criticality', () => {
    const it = lane({ low: { rung: 'hardware', data: 'real' } });
    it.tests(junit(1), { documents: { fidelity: met(plc, broker, weather) } });
    expect(it.check('fidelity')).toMatchObject({ ...refused, actual: expect.stringContaining('weather (low)') as string });
    for (const settings of [
      { low: { rung: 'hardware' } },
      { low: { rung: 'real', data: 'real' } },
      { vital: { rung: 'mock', data: 'real' } },
    ])
      expect(lane(settings).check('fidelity')).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
  });

  test('refuses a run that names a dependency twice, or a rung that is none', () => {
    expect(tested(met(plc, { ...plc, rung: 'mock' })).check('fidelity')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    const unknown = { apiVersion: 'sealane/v1', kind: 'Fidelity', dependencies: [{ ...plc, rung: 'twin' }] };
    expect(tested(unknown).check('fidelity')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
  });
});
