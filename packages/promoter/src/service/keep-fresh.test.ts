import { PromoterError } from '@sealane/core';
import { expect, test } from 'vitest';
import type { DueRefresh, Refresh } from '../trust/refresh-lane.js';
import { keepFresh } from './keep-fresh.js';
import { serviceLog } from './log-shell.js';
import { workQueue } from './work-queue.js';

const OLD: DueRefresh = { isDue: true, stages: ['prod'], owners: [] };
const YOUNG: DueRefresh = { isDue: false, stages: [], owners: [] };

const TIME = { nowMs: () => 0, giveWay: () => Promise.resolve() };

/** A look by hand: `looks` are the answers to "is it due", `refreshes` what becomes of it. */
function service(looks: (DueRefresh | Error)[], refreshes: (Refresh | Error | undefined)[], queue = workQueue(TIME)) {
  const lines: Record<string, unknown>[] = [];
  const timers: { readonly look: () => void; readonly ms: number; isOff: boolean }[] = [];
  const next = <T>(list: (T | Error)[]): T => {
    const value = list.shift();
    if (value instanceof Error) throw value;
    return value as T;
  };
  const fresh = keepFresh({
    log: serviceLog((line) => lines.push(JSON.parse(line) as Record<string, unknown>)),
    due: () => next(looks),
    queue,
    refresh: () => Promise.resolve().then(() => next(refreshes)),
    later: (look, ms) => {
      const timer = { look, ms, isOff: false };
      timers.push(timer);
      return () => (timer.isOff = true);
    },
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const again = async (): Promise<void> => {
    timers.at(-1)?.look();
    await settled();
  };
  return { fresh, lines, timers, settled, again };
}

test('looks at once and each hour, and publishes only what is due', async () => {
  const { lines, timers, settled, again } = service([YOUNG, OLD, YOUNG], [{ stages: ['prod'], left: [] }]);
  await settled();
  expect([lines.length, timers.map(({ ms }) => ms)]).toEqual([0, [3_600_000]]);
  await again();
  expect(lines).toMatchObject([{ level: 'info', stages: ['prod'] }]);
  await again();
  expect([lines.length, timers.length]).toEqual([1, 3]);
});

test('what fails is said and tried again: a witness that is away, a lane that cannot be read', async () => {
  const away = new PromoterError('LOG_WITNESS', 'ask the witnesses: expected 1, got 0');
  const { lines, settled, again } = service(
    [OLD, new Error('no such file'), OLD],
    [away, { stages: [], left: [{ stage: 'prod', why: 'no key here' }] }],
  );
  await settled();
  await again();
  await again();
  expect(lines).toMatchObject([
    { level: 'warn', code: 'LOG_WITNESS', reason: away.message },
    { level: 'warn', reason: 'no such file' },
    { level: 'info', stages: [] },
    { level: 'warn', stage: 'prod', reason: 'no key here' },
  ]);
});

test('what only owners can renew is said at once and then once a day, whether or not anything else is due', async () => {
  const ending: DueRefresh = { ...YOUNG, owners: [{ role: 'targets', expiresAt: '2027-05-29T06:50:36Z' }] };
  const { lines, settled, again } = service(Array<DueRefresh>(25).fill(ending), []);
  await settled();
  expect(lines).toMatchObject([{ level: 'warn', role: 'targets', expiresAt: '2027-05-29T06:50:36Z' }]);
  for (let look = 1; look < 24; look += 1) await again();
  expect(lines).toHaveLength(1);
  await again();
  expect(lines).toHaveLength(2);
});

test('nothing when somebody else has just done it', async () => {
  const { lines, settled } = service([OLD], [undefined]);
  await settled();
  expect(lines).toEqual([]);
});

test('stopped, it waits for what is under way and looks no more', async () => {
  const { fresh, lines, timers, settled } = service([OLD], [{ stages: [], left: [] }]);
  await fresh.stop();
  await settled();
  expect([lines.length, timers.length]).toEqual([1, 0]);
  const waiting = service([YOUNG], []);
  await waiting.settled();
  await waiting.fresh.stop();
  expect(waiting.timers.map(({ isOff }) => isOff)).toEqual([true]);
});

test('goes before all that callers and sites wait for, however many they are', async () => {
  const queue = workQueue(TIME);
  const order: string[] = [];
  const say = (what: string) => () => Promise.resolve(void order.push(what));
  const begun = queue.run('normal', say('under way'));
  const others = [...Array.from({ length: 256 }, () => 'normal' as const), ...Array.from({ length: 64 }, () => 'low' as const)];
  const waiting = others.map((urgency) => queue.run(urgency, say(urgency)));
  const { lines, settled } = service([OLD], [{ stages: ['prod'], left: [] }], {
    ...queue,
    run: (urgency, work) => queue.run(urgency, async () => (order.push('refresh'), await work())),
  });
  await Promise.all([begun, ...waiting]);
  await settled();
  expect(order.slice(0, 2)).toEqual(['under way', 'refresh']);
  expect(lines).toMatchObject([{ level: 'info', stages: ['prod'] }]);
});
