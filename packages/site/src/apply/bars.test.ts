import { type Digest, digestFromHex } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { barOf } from './bars.js';
import type { Slot } from './state.js';

const release = digestFromHex('a'.repeat(64));
const slotWith = (counter: number): Slot => ({
  release,
  name: 'svc',
  version: '1.0.0',
  waybill: null,
  counter,
  since: '2026-11-24T10:00:00Z',
});
const open = { bars: null, floor: { counter: 0, index: 0 }, revoked: { roleKeys: [], releases: [], floor: null } };
const barsOf = (counter: number, revoked: readonly Digest[] = []): { counter: number; revoked: readonly Digest[] } => ({
  counter,
  revoked,
});

test('nothing but the floor and revocation bars going back', () => {
  expect(barOf(open, slotWith(1))).toBeUndefined();
  expect(barOf({ ...open, bars: barsOf(1) }, slotWith(1))).toBeUndefined();
  expect(barOf({ ...open, bars: barsOf(1, [release]) }, slotWith(9))).toMatchObject({ code: 'RELEASE_REVOKED' });
  expect(barOf({ ...open, revoked: { ...open.revoked, releases: [{ release, reason: 'bad' }] } }, slotWith(9))).toMatchObject({
    code: 'RELEASE_REVOKED',
  });
});

test('the highest floor counts, wherever it is kept', () => {
  const counter = fc.nat({ max: 20 });
  fc.assert(
    fc.property(counter, counter, counter, counter, (policy, own, channel, wanted) => {
      const trust = {
        bars: barsOf(policy),
        floor: { counter: own, index: 0 },
        revoked: { ...open.revoked, floor: { counter: channel, index: 0 } },
      };
      expect(barOf(trust, slotWith(wanted))?.code).toBe(wanted < Math.max(policy, own, channel) ? 'RELEASE_BELOW_FLOOR' : undefined);
    }),
  );
});
