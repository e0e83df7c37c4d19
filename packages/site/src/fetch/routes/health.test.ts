import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dueAgain,
  GOOD_TO_REJOIN,
  healthOf,
  inOrder,
  leftToSpend,
  NO_ROUTES,
  pausedSeconds,
  type RouteEvent,
  type RoutesState,
  sinceBoot,
  step,
} from './health.js';

const POLL = 60;
const [near, far] = [{ at: 'near' }, { at: 'far' }];
const places = [near, far];

const after = (state: RoutesState, ...events: readonly RouteEvent[]): RoutesState =>
  events.reduce((before, event) => step(before, event, POLL), state);
const failed = (at: string, now: number, why: 'unreachable' | 'slow' | 'wrong' = 'unreachable', jitter = 0): RouteEvent => ({
  is: 'failed',
  at,
  why,
  now,
  jitter,
});
const served = (at: string, now: number): RouteEvent => ({ is: 'served', at, now });

describe('the order of upstreams', () => {
  test('is that of the configuration; one that fails goes to the end and is still there', () => {
    expect(inOrder(NO_ROUTES, places)).toEqual([near, far]);
    const left = after(NO_ROUTES, failed('near', 0));
    expect(inOrder(left, places)).toEqual([far, near]);
    // where none works, the order is the configured one again
    expect(inOrder(after(left, failed('far', 1)), places)).toEqual([near, far]);
  });

  test('one that was left is due after a poll, then twice as long each time up to an hour of polls; wrong bytes cost more', () => {
    const waits: number[] = [];
    let state = NO_ROUTES;
    for (let now = 0, times = 0; times < 9; times += 1) {
      state = after(state, failed('near', now));
      waits.push((healthOf(state, 'near').dueAt - now) / POLL);
      now = healthOf(state, 'near').dueAt;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(healthOf(after(NO_ROUTES, failed('near', 0, 'wrong')), 'near').dueAt).toBe(8 * POLL);
    expect(healthOf(after(NO_ROUTES, failed('near', 0, 'slow', 1)), 'near').dueAt).toBe(1.5 * POLL);
    expect(dueAgain(after(NO_ROUTES, failed('near', 0)), places, POLL - 1)).toEqual([]);
    expect(dueAgain(after(NO_ROUTES, failed('near', 0)), places, POLL)).toEqual([near]);
  });

  test('comes back after three good answers in a row, not after two and a bad one', () => {
    const flapping = after(NO_ROUTES, failed('near', 0), served('near', 60), served('near', 120), failed('near', 180), served('near', 300));
    expect(inOrder(flapping, places)).toEqual([far, near]);
    const back = after(flapping, served('near', 360), served('near', 420));
    expect(inOrder(back, places)).toEqual([near, far]);
    // what it did is not forgotten at once: the next time it waits longer
    expect(healthOf(after(back, failed('near', 430)), 'near').dueAt - 430).toBe(4 * POLL);
    // and is, a step an hour of polls
    const calm = after(back, served('near', 420 + 60 * POLL), served('near', 420 + 120 * POLL));
    expect(healthOf(after(calm, failed('near', 9000)), 'near').dueAt - 9000).toBe(POLL);
  });

  test('one that asked for a pause works, and is sent nothing until it is over, an hour at most, or after a boot', () => {
    const paused = (seconds: number, jitter: number): RoutesState =>
      after(NO_ROUTES, { is: 'paused', at: 'near', seconds, now: 100, jitter });
    expect(inOrder(paused(60, 0), places)).toEqual([near, far]);
    expect([100, 130, 160, 500].map((now) => pausedSeconds(paused(60, 0), 'near', now))).toEqual([60, 30, 0, 0]);
    expect(pausedSeconds(paused(999_999_999, 0), 'near', 100)).toBe(3600);
    expect(pausedSeconds(paused(60, 1), 'near', 100)).toBe(90);
    expect(pausedSeconds(paused(60, 0), 'far', 100)).toBe(0);
    expect(pausedSeconds(sinceBoot(paused(60, 0), 'next'), 'near', 1)).toBe(0);
  });

  test('many good answers of one update are one', () => {
    const hurried = after(NO_ROUTES, failed('near', 0), served('near', 1), served('near', 2), served('near', 3));
    expect(healthOf(hurried, 'near')).toMatchObject({ left: 'unreachable', good: 0 });
    const polled = after(hurried, served('near', 60), served('near', 61), served('near', 62));
    expect(healthOf(polled, 'near')).toMatchObject({ left: 'unreachable', good: 1 });
  });

  test('one that flaps at any rhythm is used less and less, and never lost', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }), (rhythm) => {
        let state = NO_ROUTES;
        let switches = 0;
        let now = 0;
        for (const isGood of rhythm) {
          const wasIn = healthOf(state, 'near').left === null;
          now = Math.max(now + POLL, healthOf(state, 'near').left === null ? 0 : healthOf(state, 'near').dueAt);
          state = after(state, isGood ? served('near', now) : failed('near', now));
          if (wasIn !== (healthOf(state, 'near').left === null)) switches += 1;
          expect(inOrder(state, places)).toContain(near);
        }
        // leaving and coming back take four answers at least
        expect(switches).toBeLessThanOrEqual(2 * Math.ceil(rhythm.length / (GOOD_TO_REJOIN + 1)));
      }),
    );
  });

  test('after a boot what was left is due at once: seconds of another boot say nothing', () => {
    const state = sinceBoot({ ...after(NO_ROUTES, failed('near', 1000)), bootId: 'a' }, 'b');
    expect(dueAgain(state, places, 0)).toEqual([near]);
    expect(inOrder(state, places)).toEqual([far, near]);
  });
});

describe('the budget of an upstream', () => {
  const place = { at: 'far', dailyBytes: 1000 };

  test('is what is left of a day, whole again the next day', () => {
    const state = after(
      NO_ROUTES,
      { is: 'took', at: 'far', day: '2026-11-28', bytes: 600, seconds: 1 },
      { is: 'took', at: 'far', day: '2026-11-28', bytes: 600, seconds: 0 },
    );
    expect(leftToSpend(state, place, '2026-11-28')).toBe(0);
    expect(leftToSpend(state, place, '2026-11-29')).toBe(1000);
    expect(leftToSpend(state, { at: 'far', dailyBytes: null }, '2026-11-28')).toBe(Infinity);
    expect(leftToSpend(state, { at: 'near', dailyBytes: 0 }, '2026-11-28')).toBe(0);
  });

  test('a rate is measured where there was something to measure', () => {
    const measured = after(NO_ROUTES, { is: 'took', at: 'far', day: 'd', bytes: 64_000, seconds: 2 });
    expect(healthOf(measured, 'far').bytesPerSecond).toBe(32_000);
    expect(healthOf(after(measured, { is: 'took', at: 'far', day: 'd', bytes: 100, seconds: 0 }), 'far').bytesPerSecond).toBe(32_000);
  });
});
