/** Windows and freezes by the clock of a place: across the days on which it jumps, and closed whenever the time is not surely inside. */
import type { JsonObject } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { gate, GateLane } from '../testing/gate-lane.js';
import { validateGateConfig } from './index.js';
import { windowsGate } from './windows.js';

const BERLIN = 'Europe/Berlin';
const WORKDAYS = { start: '2026-01-05T08:00', rule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH', hours: 8 };

function judge(settings: JsonObject, lowest: string, highest = lowest): ReturnType<GateLane['check']> {
  const lane = new GateLane(gate('windows', settings));
  lane.time = { lowest, highest };
  return lane.check('windows', [windowsGate]);
}

const allow = (span: JsonObject, timeZone = BERLIN): JsonObject => ({ timeZone, allow: [span] });
const freeze = (span: JsonObject, timeZone = BERLIN): JsonObject => ({ timeZone, freeze: [{ reason: 'stocktaking', ...span }] });

describe('windows', () => {
  test.each([
    ['at its first second', '2026-11-24T07:00:00Z', 'pass'],
    ['at its last second', '2026-11-24T14:59:59Z', 'pass'],
    ['at its end', '2026-11-24T15:00:00Z', 'pending'],
    ['a second before it', '2026-11-24T06:59:59Z', 'pending'],
    ['on another day', '2026-11-27T10:00:00Z', 'pending'],
    ['in summer, an hour earlier by UTC', '2026-07-07T06:00:00Z', 'pass'],
    ['in summer, after its end', '2026-07-07T14:00:00Z', 'pending'],
    ['before the first of them', '2025-12-30T10:00:00Z', 'pending'],
  ])('%s (%s): %s', (_, time, verdict) => {
    expect(judge(allow(WORKDAYS), time).verdict).toBe(verdict);
  });

  test('says when it opens next', () => {
    expect(judge(allow(WORKDAYS), '2026-11-26T15:00:00Z')).toMatchObject({
      verdict: 'pending',
      code: 'GATE_WINDOW',
      earliest: '2026-11-30T07:00:00Z',
    });
    const frozen = { ...allow(WORKDAYS), freeze: [{ start: '2026-11-28T00:00', days: 4, reason: 'move' }] };
    expect(judge(frozen, '2026-11-26T15:00:00Z').earliest).toBe('2026-12-02T07:00:00Z');
    expect(judge(freeze({ start: '2026-12-18T00:00', days: 18 }), '2026-12-24T12:00:00Z')).toMatchObject({
      verdict: 'pending',
      actual: 'frozen at 2026-12-24T12:00:00Z: stocktaking',
      earliest: '2027-01-04T23:00:00Z',
    });
  });

  test('a freeze that begins where a window is open closes it', () => {
    const both = { ...allow(WORKDAYS), freeze: [{ start: '2026-11-24T12:00', hours: 1, reason: 'audit' }] };
    expect(judge(both, '2026-11-24T10:59:59Z').verdict).toBe('pass');
    expect(judge(both, '2026-11-24T11:00:00Z')).toMatchObject({ verdict: 'pending', earliest: '2026-11-24T12:00:00Z' });
  });

  test('a window that never opens again is refused, not waited for', () => {
    expect(judge(allow({ start: '2026-01-05T08:00', hours: 1 }), '2026-11-24T10:00:00Z')).toMatchObject({
      verdict: 'fail',
      code: 'GATE_WINDOW',
    });
    const over = { start: '2026-01-05T08:00', rule: 'FREQ=DAILY;COUNT=3', hours: 1 };
    expect(judge(allow(over), '2026-01-07T07:30:00Z').verdict).toBe('pass');
    expect(judge(allow(over), '2026-01-08T07:30:00Z').verdict).toBe('fail');
    const always = { ...allow(WORKDAYS), freeze: [{ start: '2026-01-01T00:00', rule: 'FREQ=DAILY', days: 1, reason: 'for ever' }] };
    expect(judge(always, '2026-11-24T10:00:00Z').verdict).toBe('fail');
  });

  test('of several windows one that is open is enough, and the first that opens is the earliest', () => {
    const two = { timeZone: BERLIN, allow: [WORKDAYS, { start: '2026-11-27T20:00', hours: 2 }] };
    expect(judge(two, '2026-11-24T10:00:00Z').verdict).toBe('pass');
    expect(judge(two, '2026-11-27T20:00:00Z').verdict).toBe('pass');
    expect(judge(two, '2026-11-26T15:00:00Z')).toMatchObject({ verdict: 'pending', earliest: '2026-11-27T19:00:00Z' });
    const frozen = { ...two, freeze: [{ start: '2026-11-26T00:00', hours: 44, reason: 'move' }] };
    expect(judge(frozen, '2026-11-26T15:00:00Z')).toMatchObject({ verdict: 'pending', earliest: '2026-11-27T19:00:00Z' });
  });

  test('both ends of what the witnesses say must lie inside', () => {
    expect(judge(allow(WORKDAYS), '2026-11-24T06:59:59Z', '2026-11-24T07:00:01Z').verdict).toBe('pending');
    expect(judge(allow(WORKDAYS), '2026-11-24T14:59:59Z', '2026-11-24T15:00:01Z').verdict).toBe('pending');
    expect(judge(freeze({ start: '2026-11-24T10:00', hours: 1 }), '2026-11-24T09:59:00Z', '2026-11-24T10:01:00Z').verdict).toBe('pending');
  });
});

describe('days on which the clock jumps', () => {
  const NIGHTLY = { start: '2026-01-01T02:30', rule: 'FREQ=DAILY', minutes: 60 };

  test('a freeze whose start the clock skips begins after the gap: it is not left out', () => {
    // 29 March 2026: 02:00 becomes 03:00; 02:30 is 03:30 by the offset before the gap (RFC 5545, 3.3.5)
    expect(judge(freeze(NIGHTLY), '2026-03-29T01:29:59Z').verdict).toBe('pass');
    expect(judge(freeze(NIGHTLY), '2026-03-29T01:30:00Z')).toMatchObject({ verdict: 'pending', earliest: '2026-03-29T02:30:00Z' });
  });

  test('a start that comes twice is the first of both, once', () => {
    // 25 October 2026: 03:00 becomes 02:00; the first 02:30 is 00:30 UTC
    expect(judge(freeze(NIGHTLY), '2026-10-25T00:30:00Z')).toMatchObject({ verdict: 'pending', earliest: '2026-10-25T01:30:00Z' });
    expect(judge(freeze(NIGHTLY), '2026-10-25T01:30:00Z').verdict).toBe('pass');
  });

  test('hours are hours, also across a jump', () => {
    const night = allow({ start: '2026-01-01T22:00', rule: 'FREQ=DAILY', hours: 8 });
    expect(judge(night, '2026-03-29T04:59:59Z').verdict).toBe('pass');
    expect(judge(night, '2026-03-29T05:00:00Z').verdict).toBe('pending');
  });

  test.each([
    ['a zone that jumps by half an hour', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z', '2026-10-03T15:40:00Z'],
    ['the other side of the date line', 'Pacific/Kiritimati', '2026-10-03T12:00:00Z', '2026-10-03T12:10:00Z'],
    ['a zone far behind', 'Pacific/Niue', '2026-10-03T13:00:00Z', '2026-10-03T13:10:00Z'],
  ])('%s', (_, zone, before, inside) => {
    const span = freeze({ start: '2026-01-01T02:10', rule: 'FREQ=DAILY', minutes: 5 }, zone);
    expect(judge(span, before).verdict).toBe('pass');
    expect(judge(span, inside).verdict).toBe('pending');
  });

  test('rules of months and years', () => {
    const lastFriday = freeze({ start: '2026-01-30T00:00', rule: 'FREQ=MONTHLY;BYDAY=-1FR', days: 1 });
    expect(judge(lastFriday, '2026-11-27T12:00:00Z').verdict).toBe('pending');
    expect(judge(lastFriday, '2026-11-20T12:00:00Z').verdict).toBe('pass');
    const yearEnd = freeze({ start: '2020-12-18T00:00', rule: 'FREQ=YEARLY', days: 18 });
    expect(judge(yearEnd, '2031-01-03T12:00:00Z').verdict).toBe('pending');
  });
});

describe('settings', () => {
  test.each([
    ['neither window nor freeze', { timeZone: BERLIN }],
    ['no zone', { allow: [WORKDAYS] }],
    ['a zone that is none', allow(WORKDAYS, 'Europe/Berlyn')],
    ['no length', allow({ start: '2026-01-05T08:00' })],
    ['two lengths', allow({ ...WORKDAYS, minutes: 5 })],
    ['a length of zero', allow({ ...WORKDAYS, hours: 0 })],
    ['a length of more than a year', allow({ start: '2026-01-05T08:00', days: 400 })],
    ['a day that does not exist', allow({ start: '2026-02-30T08:00', hours: 1 })],
    ['a part of a rule that is none', freeze({ ...WORKDAYS, rule: 'FREQ=WEEKLY;BYDAYS=MO' })],
    ['a rule that never occurs', freeze({ ...WORKDAYS, rule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' })],
    ['a rule by the second', freeze({ ...WORKDAYS, rule: 'FREQ=SECONDLY' })],
    ['a rule without a frequency', freeze({ ...WORKDAYS, rule: 'BYDAY=MO' })],
    ['a rule with a second line', freeze({ ...WORKDAYS, rule: 'FREQ=DAILY\nEXDATE:20261224T000000' })],
    ['a freeze without a reason', { timeZone: BERLIN, freeze: [{ start: '2026-01-05T08:00', hours: 1 }] }],
  ])('%s is refused when the pipeline is read, and never passes', (_, settings: JsonObject) => {
    expect(() => validateGateConfig('windows', settings, [windowsGate])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(judge(settings, '2026-11-24T10:00:00Z')).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
  });
});
