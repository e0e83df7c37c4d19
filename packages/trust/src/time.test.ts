import { expect, test } from 'vitest';
import { codeOf } from './testing/code-of.js';
import { isTime, secondsToTime, timeToSeconds } from './time.js';

test('a time has one form, from 1970 to 9999, and comes back as it was', () => {
  for (const text of ['1970-01-01T00:00:00Z', '2024-02-29T23:59:59Z', '9999-12-31T23:59:59Z'])
    expect(secondsToTime(timeToSeconds(text))).toBe(text);
  const others = [
    '1969-12-31T23:59:59Z',
    '0970-01-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01 00:00:00Z',
    '+002026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '',
  ];
  for (const text of others) {
    expect([text, isTime(text)]).toEqual([text, false]);
    expect(codeOf(() => timeToSeconds(text))).toBe('TRUST_MALFORMED');
  }
  for (const seconds of [-1, 0.5, Number.NaN, 253_402_300_800]) expect(codeOf(() => secondsToTime(seconds))).toBe('TRUST_MALFORMED');
});
