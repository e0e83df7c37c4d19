/** What was asked while a batch gathers is in it; each is answered for itself. (The bounds are tried with promotions, in decide-together.test.ts.) */
import { expect, test } from 'vitest';
import { together } from './together.js';
import { workQueue } from './work-queue.js';

test('takes in what is asked until the batch has gathered, and tells each what came of it', async () => {
  const queue = workQueue({ nowMs: () => 0, giveWay: () => Promise.resolve() });
  const batches: (readonly number[])[] = [];
  const gathering: (() => void)[] = [];
  const begin = async (): Promise<void> => {
    await expect.poll(() => gathering.length).toBe(1);
    gathering.pop()?.();
  };
  const ask = together<number, number>({
    queue,
    noun: 'a number',
    maxBatch: 3,
    gather: () => new Promise((resolve) => void gathering.push(resolve)),
    work: (numbers) => {
      batches.push(numbers);
      return Promise.resolve(numbers.map((number) => (number === 2 ? { error: new Error('not two') } : { value: number * 10 })));
    },
  });
  const asked = [1, 2, 3, 4].map((number) => ask(number));
  expect(batches).toEqual([]);
  await begin();
  expect(await Promise.allSettled(asked.slice(0, 3))).toMatchObject([{ value: 10 }, { reason: { message: 'not two' } }, { value: 30 }]);
  const late = ask(5);
  await begin();
  expect(await Promise.all([asked[3], late])).toEqual([40, 50]);
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});
