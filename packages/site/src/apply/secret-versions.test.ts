import { sha256, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { keptSecrets, rotationDue, secretsFor } from './secret-versions.js';
import type { KnownSecret } from './state.js';
import { INITIAL_STATE, type SiteState, type Slot } from './state.js';
import { fold, step } from './step.js';

const known = (name: string, version: number): KnownSecret => ({
  name,
  version,
  statement: sha256(utf8(`statement ${name} ${version}`)),
  blob: sha256(utf8(`blob ${name} ${version}`)),
});
const taken = (name: string, version: number): { is: 'secret-taken'; secret: KnownSecret } => ({
  is: 'secret-taken',
  secret: known(name, version),
});
const SLOT: Slot = { release: sha256(utf8('r')), name: 'r', version: '1', waybill: null, counter: 1, since: '2026-01-01T00:00:00Z' };
const state = (change: Partial<SiteState>): SiteState => ({ ...INITIAL_STATE, ...change });

test('a release is given the newest value of each secret that it needs, in order of names', () => {
  const has = fold(INITIAL_STATE, [taken('b', 1), taken('a', 1), taken('a', 2), taken('c', 1)]);
  expect(secretsFor(has, ['b', 'a']).secrets).toEqual([
    { name: 'a', version: 2 },
    { name: 'b', version: 1 },
  ]);
  expect(secretsFor(has, [])).toEqual({});
});

test('a value that failed is passed over, also when it is the newest', () => {
  const has = state({ secrets: [known('a', 1), known('a', 2)], failedSecrets: [{ name: 'a', version: 2 }] });
  expect(secretsFor(has, ['a']).secrets).toEqual([{ name: 'a', version: 1 }]);
});

test('nothing is due while the release has the newest good values, or needs none', () => {
  const current = { ...SLOT, secrets: [{ name: 'a', version: 1 }] };
  expect(rotationDue(state({ current, secrets: [known('a', 1), known('b', 4)] }))).toBeUndefined();
  expect(rotationDue(state({ current: SLOT, secrets: [known('a', 1)] }))).toBeUndefined();
  expect(rotationDue(state({ current, secrets: [known('a', 1), known('a', 2)] }))).toEqual([{ name: 'a', version: 2 }]);
  const failedSecrets = [{ name: 'a', version: 2 }];
  expect(rotationDue(state({ current, failedSecrets, secrets: [known('a', 1), known('a', 2)] }))).toBeUndefined();
});

test('the newest value, the newest good one and what runs are kept; others are not', () => {
  const current = { ...SLOT, secrets: [{ name: 'a', version: 1 }] };
  const failedSecrets = [{ name: 'a', version: 4 }];
  const secrets = [1, 2, 3, 4].map((version) => known('a', version));
  expect(keptSecrets(state({ current, failedSecrets, secrets })).map(({ version }) => version)).toEqual([1, 3, 4]);
});

test('an older or equal version can never be taken in', () => {
  const has = fold(INITIAL_STATE, [taken('a', 3)]);
  for (const version of [3, 2, 1]) expect(() => step(has, taken('a', version))).toThrow('expected an event that follows');
});

const AT = '2026-01-02T00:00:00Z';
const ROTATION = [
  { is: 'admitted', target: { ...withoutSince(SLOT), secrets: [{ name: 'a', version: 2 }], cause: 'secrets' } },
  { is: 'staged' },
  { is: 'switching' },
  { is: 'probation', began: { bootId: 'b', uptimeSeconds: 1 } },
] as const;
const BEFORE = state({ current: { ...SLOT, secrets: [{ name: 'a', version: 1 }] }, secrets: [known('a', 1), known('a', 2)] });

test('a rotation that was healthy keeps the release as it was, with its new values', () => {
  const after = fold(BEFORE, [...ROTATION, { is: 'committed', at: AT, keep: 2 }]);
  expect(after.current).toEqual({ ...SLOT, secrets: [{ name: 'a', version: 2 }] });
  expect(after.kept).toEqual([]);
  expect(after.owed).toMatchObject({ event: 'rotated', reason: null, previous: SLOT.release, secrets: [{ name: 'a', version: 2 }] });
});

test('one that was not denies the values and not the release', () => {
  const after = fold(BEFORE, [...ROTATION, { is: 'unhealthy', failed: [] }, { is: 'rolled-back', at: AT }]);
  expect(after.current?.secrets).toEqual([{ name: 'a', version: 1 }]);
  expect(after).toMatchObject({ denied: [], failedSecrets: [{ name: 'a', version: 2 }] });
  expect(after.owed).toMatchObject({ event: 'rotated', reason: 'HEALTH_FAILED' });
});

function withoutSince({ since: _since, ...slot }: Slot): Omit<Slot, 'since'> {
  return slot;
}
