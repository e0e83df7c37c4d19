import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAYS, isOpen, isTimeZone, type MaintenanceWindows, nextOpen } from './windows.js';

const berlin = (from: string, to: string, days = [...DAYS]): MaintenanceWindows => ({
  timeZone: 'Europe/Berlin',
  open: [{ days, from, to }],
});

describe('a window', () => {
  test.each([
    ['in winter, by local time', berlin('02:00', '05:00'), '2026-01-10T01:00:00Z', true],
    ['in winter, by UTC it would be', berlin('02:00', '05:00'), '2026-01-10T04:30:00Z', false],
    ['in summer, an hour earlier', berlin('02:00', '05:00'), '2026-07-10T00:00:00Z', true],
    ['in summer, its end is not in it', berlin('02:00', '05:00'), '2026-07-10T03:00:00Z', false],
    ['on another day', berlin('02:00', '05:00', ['sun']), '2026-01-10T02:00:00Z', false],
    ['on its day', berlin('02:00', '05:00', ['sat']), '2026-01-10T02:00:00Z', true],
    ['over midnight, before', berlin('23:00', '01:00', ['sat']), '2026-01-10T22:30:00Z', true],
    ['over midnight, after, on the day that follows', berlin('23:00', '01:00', ['sat']), '2026-01-10T23:30:00Z', true],
    ['over midnight, a day later', berlin('23:00', '01:00', ['sat']), '2026-01-11T22:30:00Z', false],
    ['over midnight and the end of a week', berlin('23:00', '01:00', ['sun']), '2026-01-11T23:30:00Z', true],
    ['that ends as it begins is a whole day', berlin('12:00', '12:00', ['sat']), '2026-01-11T10:59:00Z', true],
    // clocks go from 02:00 to 03:00 on 29 March 2026 and from 03:00 to 02:00 on 25 October 2026
    ['in the hour that is skipped opens after it', berlin('02:30', '04:00'), '2026-03-29T01:00:00Z', true],
    ['that lies in the skipped hour does not open that day', berlin('02:00', '03:00', ['sun']), '2026-03-29T01:00:00Z', false],
    ['in the hour that comes twice is open twice', berlin('02:00', '03:00', ['sun']), '2026-10-25T00:30:00Z', true],
    ['in the hour that comes twice is open twice', berlin('02:00', '03:00', ['sun']), '2026-10-25T01:30:00Z', true],
  ])('%s', (_what, windows, time, expected) => expect(isOpen(windows, time)).toBe(expected));

  test('is open at all times where none is configured', () => expect(isOpen(undefined, '2026-01-10T01:00:00Z')).toBe(true));

  test('opens next when it says', () => {
    expect(nextOpen(berlin('02:00', '05:00', ['sat']), '2026-01-10T04:00:30Z')).toBe('2026-01-17T01:00:00Z');
    expect(nextOpen(berlin('02:30', '04:00', ['sun']), '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00Z');
    expect(nextOpen({ timeZone: 'UTC', open: [] }, '2026-01-10T04:00:00Z')).toBeNull();
  });

  test('is open at the minute that is named as the next, and at none before', () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia', 'Australia/Lord_Howe', 'UTC');
    const days = fc.subarray([...DAYS], { minLength: 1 });
    const now = fc
      .integer({ min: Date.UTC(2026, 0, 1) / 1000, max: Date.UTC(2027, 0, 1) / 1000 })
      .map((seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
    fc.assert(
      fc.property(zone, days, time, time, now, (timeZone, on, from, to, at) => {
        const windows = { timeZone, open: [{ days: on, from, to }] };
        const next = nextOpen(windows, at);
        if (next === null) throw new Error('no window opens');
        expect(isOpen(windows, next)).toBe(true);
        const before = new Date(Date.parse(next) - 60_000).toISOString().replace('.000Z', 'Z');
        if (before >= at) expect(isOpen(windows, before)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});

test('zones are known by their names', () => {
  expect(['Europe/Berlin', 'UTC', 'America/Argentina/Ushuaia'].every(isTimeZone)).toBe(true);
  expect(['Europe/Nowhere', '', 'CEST+2'].some(isTimeZone)).toBe(false);
});
