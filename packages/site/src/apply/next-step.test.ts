import { digestFromHex, ERRORS } from '@sealane/core';
import { expect, test } from 'vitest';
import { nextStep, type Seen } from './next-step.js';
import { INITIAL_STATE, type SiteState } from './state.js';
import type { StrayNote } from './strays.js';

const NOW = '2026-11-24T10:00:00Z';
const release = digestFromHex('a'.repeat(64));
const current = { release, name: 'svc', version: '1.0.0', waybill: null, counter: 1, since: NOW };
const stray: StrayNote = { what: 'container hand-made (4f1c)', how: 'runs', did: 'reported', since: NOW, isTold: true, isThere: true };

const next = (state: Partial<SiteState>, seen: Partial<Seen> = {}): string | null =>
  nextStep(
    { ...INITIAL_STATE, current, ...state },
    { workload: { is: 'running', release, pid: 7 }, link: undefined, strays: [], ...seen },
    NOW,
  );

const held = (code: 'ONE_WAY_FAILED' | 'ROLLBACK_FAILED'): Pick<SiteState, 'phase'> => ({
  phase: { at: 'held', code, message: 'it failed', target: null },
});

test('a site that needs nobody is told nothing', () => {
  expect(next({})).toBeNull();
  expect(next({}, { strays: [{ ...stray, isThere: false }] })).toBeNull();
  expect(next({}, { strays: [{ ...stray, did: 'stopped' }] })).toBeNull();
});

test('one that waits for a person is told what ends that; where it is drained besides it has to rejoin first', () => {
  expect(next(held('ROLLBACK_FAILED'))).toContain('sealane-site unhold');
  expect(next(held('ONE_WAY_FAILED'))).toBe(ERRORS.ONE_WAY_FAILED.hint);
  expect(next({ ...held('ONE_WAY_FAILED'), drained: 'the crane is rebuilt' })).toBe(ERRORS.SITE_DRAINED.hint);
});

test('what runs beside the release comes after all else that is to be done', () => {
  const strays = [{ ...stray, did: 'put back' as const }, stray];
  expect(next({}, { strays })).toBe(ERRORS.WORKLOAD_STRAY.hint);
  expect(next({}, { strays, link: { code: 'FETCH_FAILED', since: NOW } })).toBe(ERRORS.FETCH_FAILED.hint);
  expect(next({}, { strays, workload: { is: 'none' } })).toContain('doctor --mend');
});
