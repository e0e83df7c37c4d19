import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { momentOf, NO_FLOOR, raisedFloor, secondsSince, tickedFloor, type TimeFloor, trustedNow } from './trusted-time.js';

const FAR = '2036-01-01T00:00:00Z';
const floorAt = (clock: FakeClock, time: string): TimeFloor => ({ time, moment: momentOf(clock) });

test('a clock set to 1970 goes by the floor and the uptime since', () => {
  const clock = new FakeClock('1970-01-01T00:00:00Z', 100);
  const floor = floorAt(clock, '2026-11-24T10:00:00Z');
  clock.uptime += 90;
  expect(trustedNow(floor, clock)).toBe('2026-11-24T10:01:30Z');
});

test('a clock ahead of the floor is believed, one behind it is not', () => {
  const clock = new FakeClock('2026-12-01T00:00:00Z');
  expect(trustedNow(floorAt(clock, '2026-11-24T10:00:00Z'), clock)).toBe('2026-12-01T00:00:00Z');
  expect(trustedNow(floorAt(clock, '2026-12-24T10:00:00Z'), clock)).toBe('2026-12-24T10:00:00Z');
});

test('cutting the power neither turns the floor back nor makes it tick', () => {
  const clock = new FakeClock('1970-01-01T00:00:00Z', 5000);
  const floor = floorAt(clock, '2026-11-24T10:00:00Z');
  clock.boot = 'boot-2';
  clock.uptime = 10;
  expect(tickedFloor(floor, clock)).toEqual({ time: '2026-11-24T10:00:00Z', moment: { bootId: 'boot-2', uptimeSeconds: 10 } });
  expect(secondsSince(floor.moment, clock)).toBe(0);
});

test('rises with witnessed time, never falls, and never passes the limit', () => {
  const clock = new FakeClock();
  const floor = floorAt(clock, '2026-11-24T10:00:00Z');
  expect(raisedFloor(floor, '2026-11-25T00:00:00Z', FAR, clock).time).toBe('2026-11-25T00:00:00Z');
  expect(raisedFloor(floor, '2026-01-01T00:00:00Z', FAR, clock).time).toBe('2026-11-24T10:00:00Z');
  expect(raisedFloor(floor, '2050-01-01T00:00:00Z', FAR, clock).time).toBe(FAR);
  expect(raisedFloor(NO_FLOOR, '2026-11-25T00:00:00Z', FAR, clock).time).toBe('2026-11-25T00:00:00Z');
});
