import type { Check } from '@sealane/core';
import { digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import type { WorkloadStatus } from '../drivers/driver.js';
import { FakeClock } from '../testing/fake-clock.js';
import { watch, type Watched, watchStart } from './watch.js';

const release = digestFromHex('a'.repeat(64));
const plan = { startSeconds: 5, probationSeconds: 20, intervalMs: 1000, failures: 1 };
const never = new AbortController().signal;
const check = (verdict: 'pass' | 'fail'): Check => ({ id: 'health-http', verdict, expected: '', actual: '', remedy: '', evidence: [] });

/** A workload that is healthy when `isHealthy` says so of the seconds since its start, and runs until `endsAt`. */
function workload(clock: FakeClock, isHealthy: (seconds: number) => boolean, endsAt = Infinity): Watched & { asked: number } {
  const began = clock.uptime;
  const watched = {
    asked: 0,
    status: (): Promise<WorkloadStatus> =>
      Promise.resolve(
        clock.uptime - began >= endsAt ? { is: 'ended', release, how: 'it exited with 1' } : { is: 'running', release, pid: 1 },
      ),
    ask: () => {
      watched.asked += 1;
      return Promise.resolve([check(isHealthy(clock.uptime - began) ? 'pass' : 'fail')]);
    },
  };
  return watched;
}

test('waits for a slow start, then watches to the end of the probation', async () => {
  const clock = new FakeClock();
  const began = clock.uptime;
  expect(
    await watch(
      workload(clock, (seconds) => seconds >= 3),
      plan,
      0,
      clock,
      never,
    ),
  ).toMatchObject({ healthy: true });
  expect(clock.uptime - began).toBe(20);
});

test('fails a release that is not healthy when its time for starting is over', async () => {
  const clock = new FakeClock();
  const began = clock.uptime;
  const result = await watch(
    workload(clock, () => false),
    plan,
    0,
    clock,
    never,
  );
  expect(result).toMatchObject({ healthy: false, checks: [{ id: 'health-http', verdict: 'fail' }] });
  expect(clock.uptime - began).toBe(5);
});

test('fails at once when a check fails after the start', async () => {
  const clock = new FakeClock();
  const began = clock.uptime;
  expect(
    (
      await watch(
        workload(clock, (seconds) => seconds < 12),
        plan,
        0,
        clock,
        never,
      )
    ).healthy,
  ).toBe(false);
  expect(clock.uptime - began).toBe(12);
});

test('bears as many failures in a row as it may but one, again and again', async () => {
  const clock = new FakeClock();
  const result = await watch(
    workload(clock, (seconds) => seconds % 5 < 3),
    { ...plan, failures: 3 },
    0,
    clock,
    never,
  );
  expect(result).toMatchObject({ healthy: true });
  expect(clock.uptime - 1000).toBe(20);
});

test('fails when so many rounds in a row failed, and not before', async () => {
  const clock = new FakeClock();
  const watched = workload(clock, (seconds) => seconds < 12);
  expect((await watch(watched, { ...plan, failures: 3 }, 0, clock, never)).healthy).toBe(false);
  expect(clock.uptime - 1000).toBe(14);
});

test('commits nothing whose last answer is no: the probation goes on until it is decided', async () => {
  const until = async (isHealthy: (seconds: number) => boolean): Promise<readonly [boolean, number]> => {
    const clock = new FakeClock();
    const { healthy } = await watch(workload(clock, isHealthy), { ...plan, failures: 3 }, 0, clock, never);
    return [healthy, clock.uptime - 1000];
  };
  expect(await until((seconds) => seconds < 19)).toEqual([false, 21]);
  expect(await until((seconds) => seconds < 19 || seconds > 20)).toEqual([true, 21]);
});

test('bears no failure of a process that has ended', async () => {
  const clock = new FakeClock();
  expect(
    (
      await watch(
        workload(clock, () => true, 10),
        { ...plan, failures: 3 },
        0,
        clock,
        never,
      )
    ).healthy,
  ).toBe(false);
  expect(clock.uptime - 1000).toBe(10);
});

test('does not wait for a process that has ended', async () => {
  const clock = new FakeClock();
  const result = await watch(
    workload(clock, () => false, 1),
    plan,
    0,
    clock,
    never,
  );
  expect(result.checks[0]).toMatchObject({ id: 'health-process', actual: 'it exited with 1' });
  expect(clock.uptime - 1000).toBe(1);
});

test('a process that dies while its port is still answered by another is not healthy', async () => {
  const clock = new FakeClock();
  expect(
    (
      await watch(
        workload(clock, () => true, 10),
        plan,
        0,
        clock,
        never,
      )
    ).healthy,
  ).toBe(false);
});

test('goes on with the time that is left after a crash of the updater', async () => {
  const clock = new FakeClock();
  await watch(
    workload(clock, () => true),
    plan,
    15,
    clock,
    never,
  );
  expect(clock.uptime - 1000).toBe(5);
});

test('after a rollback one healthy answer is enough', async () => {
  const clock = new FakeClock();
  const watched = workload(clock, () => true);
  expect(await watchStart(watched, plan, clock, never)).toMatchObject({ healthy: true });
  expect(watched.asked).toBe(1);
});

test('stops watching when it is interrupted', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  clock.onSleep = () => stop.abort(new Error('interrupted'));
  await expect(
    watch(
      workload(clock, () => true),
      plan,
      0,
      clock,
      stop.signal,
    ),
  ).rejects.toThrow();
});

test('takes the answer of a probe that was broken off for none', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const watched = workload(clock, (seconds) => {
    if (seconds < 3) return true;
    // as a probe does that is ended with whoever asked
    stop.abort(new Error('interrupted'));
    return false;
  });
  await expect(watch(watched, plan, 0, clock, stop.signal)).rejects.toThrow('interrupted');
});
