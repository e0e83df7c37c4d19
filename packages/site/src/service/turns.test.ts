import { expect, test } from 'vitest';
import { systemClock } from '../clock.js';
import { FakeClock } from '../testing/fake-clock.js';
import { makeTurns } from './turns.js';

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
