import { describe, expect, test } from 'vitest';
import type { PolicyScope } from './policy-types.js';
import { outsideScope, type ScopedRelease, scopeOf, scopeShape } from './scope.js';
import type { WorkloadClass } from './workload-class.js';

const none = { classes: {}, signers: [], people: [], repositories: [] };
const pay: PolicyScope = { ...none, team: 'pay', releases: ['pay-*', 'till'], signers: ['k-pay'], people: ['alice'] };
const grid: PolicyScope = {
  ...none,
  team: 'grid',
  releases: ['grid'],
  classes: { latency: ['control'], compliance: ['nis2', 'none'] },
  signers: ['k-grid'],
};
const people = [{ id: 'alice', keys: ['k-alice'] }];
const control: WorkloadClass = { latency: 'control', locality: 'device', state: 'durable', compliance: 'nis2', recovery: 'seconds' };
const called = (name: string, declared?: Partial<WorkloadClass>): ScopedRelease =>
  declared === undefined ? { name } : { name, declares: { class: { ...control, ...declared } } };
const team = (name: string, declared?: Partial<WorkloadClass>, scopes = [pay, grid]) => {
  const found = scopeOf({ scopes }, called(name, declared));
  return found.ok ? found.scope?.team : found.why;
};

describe('the scope of a release', () => {
  test('is by exact name, or by the beginning of it before a star', () => {
    expect([team('pay-api'), team('pay-'), team('till')]).toEqual(['pay', 'pay', 'pay']);
    for (const name of ['pay', 'payments', 'tills', 'til', 'x-pay-api', 'pay*']) expect(team(name)).toBe(`${name} is in no scope`);
  });

  test('asks for every word of the class that it names', () => {
    expect([team('grid', {}), team('grid', { compliance: 'none', state: 'cache' })]).toEqual(['grid', 'grid']);
    expect(team('grid', { latency: 'background' })).toBe('grid is of another class than the scope of grid is for');
    expect(team('grid', { compliance: 'pci' })).toBe('grid is of another class than the scope of grid is for');
    expect(team('grid')).toBe('grid declares no class than the scope of grid is for');
  });

  test('is none where two scopes claim it', () => {
    expect(team('till', undefined, [pay, { ...grid, classes: {}, releases: ['t*'] }])).toBe('till is in the scopes of pay, grid at once');
  });

  test('is not asked for where policy has none', () => {
    expect(scopeOf({}, called('x'))).toEqual({ ok: true, scope: undefined });
  });
});

describe('a key', () => {
  const outside = (key: string, name: string, declared?: Partial<WorkloadClass>) =>
    outsideScope({ scopes: [pay, grid], people }, called(name, declared), key);

  test('that a scope names, or that is of a person whom it names, signs nothing outside of it', () => {
    for (const key of ['k-pay', 'k-alice']) {
      expect(outside(key, 'pay-api')).toBeUndefined();
      for (const name of ['grid', 'elsewhere'])
        expect(outside(key, name, {})).toBe(`key ${key} is for the releases of pay, not for ${name}`);
    }
    expect(outside('k-grid', 'grid', { latency: 'interactive' })).toMatch(/^key k-grid is for the releases of grid/);
  });

  test('that no scope names is the whole organisation’s', () => {
    expect(outside('k-lab', 'grid', {})).toBeUndefined();
    expect(outside('k-lab', 'elsewhere')).toBeUndefined();
  });
});

test.each(['*', '*x', 'a*b', 'A', 'a**', '', '-a', '.*', 'a?'])('%j is no pattern of names', (pattern) => {
  expect(scopeShape.safeParse({ ...pay, signers: [], releases: [pattern] }).success).toBe(false);
});
