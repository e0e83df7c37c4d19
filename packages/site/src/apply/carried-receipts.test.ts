import { expect, test } from 'vitest';
import { carriedAfter, isDueAgain, turnsOf } from './carried-receipts.js';
import type { CarriedReceipts } from './state.js';

const day = (number: number, time = '10:00:00'): string => `2026-11-${String(number).padStart(2, '0')}T${time}Z`;

test('what was handed over and is not shown is due after a day, then after two, four and eight, and no later', () => {
  let carried: CarriedReceipts = carriedAfter({ sent: 0 }, 3, day(1));
  expect(carried).toEqual({ seq: 3, at: day(1), days: 1 });
  for (const [due, days] of [
    [2, 2],
    [4, 4],
    [8, 8],
    [16, 8],
    [24, 8],
  ] as const) {
    expect(isDueAgain({ carried, sent: 2 }, day(due, '09:59:59'))).toBe(false);
    expect(isDueAgain({ carried, sent: 2 }, day(due))).toBe(true);
    carried = carriedAfter({ carried, sent: 2 }, 3, day(due));
    expect(carried).toEqual({ seq: 3, at: day(due), days });
  }
});

test('each time that they are due another place is the first in line', () => {
  expect([1, 2, 4, 8].map((days) => turnsOf({ carried: { seq: 3, at: day(1), days }, sent: 2 }, day(9)))).toEqual([1, 2, 3, 4]);
  expect(turnsOf({ carried: { seq: 3, at: day(1), days: 1 }, sent: 2 }, day(1))).toBe(0);
  expect(turnsOf({ sent: 2 }, day(9))).toBe(0);
});

test('more that is handed over meanwhile puts nothing off', () => {
  const before = { seq: 3, at: day(1), days: 2 };
  const carried = carriedAfter({ carried: before, sent: 2 }, 4, day(2));
  expect(carried).toEqual({ ...before, seq: 4 });
  expect(isDueAgain({ carried, sent: 2 }, day(3))).toBe(true);
});

test('once all is shown nothing is due, and what comes next has its own time', () => {
  const before = { seq: 3, at: day(1), days: 8 };
  expect(isDueAgain({ carried: before, sent: 3 }, day(28))).toBe(false);
  expect(carriedAfter({ carried: before, sent: 3 }, 4, day(28))).toEqual({ seq: 4, at: day(28), days: 1 });
});

test('a clock that was ahead when they were handed over puts nothing off', () => {
  expect(isDueAgain({ carried: { seq: 1, at: '2099-01-01T00:00:00Z', days: 1 }, sent: 0 }, day(1))).toBe(true);
});

test('a journal of before, which knew only what arrived, has nothing due', () => {
  expect(isDueAgain({ sent: 5 }, day(1))).toBe(false);
});
