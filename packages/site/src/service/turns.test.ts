import { expect, test } from 'vitest';
import { systemClock } from '../clock.js';
import { FakeClock } from '../testing/fake-clock.js';
import { makeTurns, oneAtATime } from './turns.js';

test('one after the other, whatever becomes of the one before', async () => {
  const turns = makeTurns(systemClock);
  const seen: string[] = [];
  const first = turns.take(Infinity, async () => {
    await Promise.resolve();
    seen.push('first');
    throw new Error('it fails');
  });
  const second = turns.take(Infinity, () => Promise.resolve(seen.push('second')));
  await expect(first).rejects.toThrow('it fails');
  await second;
  expect(seen).toEqual(['first', 'second']);
});

test('who has waited long enough is told so, has done nothing, and stands in nobody’s way', async () => {
  const turns = makeTurns(new FakeClock());
  let end: () => void = () => undefined;
  const long = turns.take(Infinity, () => new Promise<void>((resolve) => (end = resolve)));
  let ran = false;
  const late = turns.take(1000, () => Promise.resolve((ran = true)));
  await expect(late).rejects.toMatchObject({ code: 'UPDATER_BUSY' });
  end();
  await long;
  expect(ran).toBe(false);
  expect(await turns.take(Infinity, () => Promise.resolve('next'))).toBe('next');
});

test('of a crowd one waits; the others are told at once, and the next one may when it is done', async () => {
  const turns = makeTurns(systemClock);
  const few = oneAtATime(turns);
  let end: () => void = () => undefined;
  const long = turns.take(Infinity, () => new Promise<void>((resolve) => (end = resolve)));
  const first = few.take(Infinity, () => Promise.resolve('first'));
  await expect(few.take(Infinity, () => Promise.resolve('second'))).rejects.toMatchObject({ code: 'UPDATER_BUSY' });
  end();
  await long;
  expect(await first).toBe('first');
  await expect(few.take(Infinity, () => Promise.reject(new Error('it fails')))).rejects.toThrow('it fails');
  expect(await few.take(Infinity, () => Promise.resolve('third'))).toBe('third');
});

test('who is in a hurry tells what is under way and what waits, and nobody after; others tell nobody', async () => {
  const turns = makeTurns(systemClock);
  const hurried: string[] = [];
  const waiting = (name: string) => async (hurry: AbortSignal) => {
    if (!hurry.aborted) await new Promise((resolve) => hurry.addEventListener('abort', resolve));
    hurried.push(name);
  };
  const first = turns.take(Infinity, waiting('first'));
  const second = oneAtATime(turns).take(Infinity, waiting('second'));
  await Promise.resolve();
  expect(hurried).toEqual([]);
  const soon = oneAtATime(turns).takeSoon(Infinity, (hurry) => Promise.resolve(hurry.aborted));
  const after = turns.take(Infinity, (hurry) => Promise.resolve(hurry.aborted));
  await Promise.all([first, second]);
  expect(hurried).toEqual(['first', 'second']);
  expect([await soon, await after]).toEqual([false, false]);
});
