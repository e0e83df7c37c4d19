import { type Digest, digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import { INITIAL_STATE, type SiteState, type Slot, type Target } from './state.js';
import { wayBack, wentBackTo } from './way-back.js';

const AT = '2026-11-24T10:00:00Z';
const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const slot = (letter: string, counter: number): Slot => ({
  release: digest(letter),
  name: 'svc',
  version: letter,
  waybill: null,
  counter,
  since: AT,
});
const [a, b, c] = [slot('a', 1), slot('b', 2), slot('c', 3)];
const NEW: Target = { ...slot('d', 4), cause: 'update' };
const STATE: SiteState = { ...INITIAL_STATE, current: c, previous: b, kept: [b, a] };

/** What this site has heard: these releases are revoked, and nothing below `counter` runs. */
const trust = (revoked: readonly string[], counter = 0): Parameters<typeof wayBack>[2] => ({
  bars: { revoked: revoked.map(digest), counter },
  floor: { counter: 0, index: 0 },
  revoked: { releases: [], floor: null, roleKeys: [] },
});

test('the way back leads to what ran before', () => {
  expect(wayBack(STATE, NEW, trust([]))).toEqual({ to: c, barred: [] });
});

test('one that was revoked is passed over, and so is one that failed here before or was left by hand', () => {
  const back = wayBack(STATE, NEW, trust(['c']));
  expect(back).toMatchObject({ to: b, barred: [{ id: 'revoked', code: 'RELEASE_REVOKED', actual: 'svc c is revoked' }] });
  const denied = [{ release: b.release, reason: 'ROLLED_BACK_BY_HAND', at: AT }];
  expect(wayBack({ ...STATE, denied }, NEW, trust(['c'])).to).toEqual(a);
  expect(wayBack(STATE, { ...b, cause: 'rollback' }, trust(['c'])).to, 'what was gone back to by hand just failed').toEqual(a);
  expect(wayBack(STATE, NEW, trust(['a', 'b', 'c']))).toMatchObject({ to: null, barred: [{}, {}, {}] });
});

test('one below the floor is passed over, unless people let it run here', () => {
  expect(wayBack(STATE, NEW, trust([], 4))).toMatchObject({ to: null, barred: [{ code: 'RELEASE_BELOW_FLOOR' }, {}, {}] });
  const allowed: Slot = { ...c, belowFloor: true };
  expect(wayBack({ ...STATE, current: allowed }, NEW, trust([], 4)).to).toEqual(allowed);
  expect(wayBack({ ...STATE, current: allowed }, NEW, trust(['c'], 4)).to, 'nobody lets a revoked one run').toBeNull();
});

test('where only values of secrets were new it stays the release that runs, with those that it had', () => {
  expect(wayBack(STATE, { ...c, cause: 'secrets' }, trust(['c']))).toEqual({ to: c, barred: [] });
});

test('a kept release is given the newest values of its secrets that have not failed', () => {
  const known = (version: number): SiteState['secrets'][number] => ({ name: 'token', version, statement: digest('e'), blob: digest('f') });
  const state: SiteState = {
    ...STATE,
    kept: [{ ...b, secrets: [{ name: 'token', version: 1 }] }],
    secrets: [known(1), known(2), known(3)],
    failedSecrets: [{ name: 'token', version: 3 }],
  };
  expect(wayBack(state, NEW, trust(['c'])).to?.secrets).toEqual([{ name: 'token', version: 2 }]);
  expect(wentBackTo(state, b.release, AT)?.current?.secrets).toEqual([{ name: 'token', version: 2 }]);
});

test('what was passed over is kept, for people; nothing else is forgotten but the oldest', () => {
  expect(wentBackTo(STATE, b.release, AT)).toEqual({ current: { ...b, since: AT }, previous: c, kept: [c, a] });
  expect(wentBackTo(STATE, null, AT)).toEqual({ current: null, previous: c, kept: [c, b] });
  expect(wentBackTo(STATE, digest('9'), AT)).toBeUndefined();
});
