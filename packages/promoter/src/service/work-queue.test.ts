/** Who may wait in the queue: many, but of each caller only a share. */
import { expect, test } from 'vitest';
import { workQueue } from './work-queue.js';

test('one caller has a quarter of the turns: work of others, and what is nobody’s, gets in until all are taken', async () => {
  const queue = workQueue({ nowMs: () => 0, giveWay: () => Promise.resolve() });
  let begin = (): void => undefined;
  const first = queue.run('normal', () => new Promise<void>((resolve) => (begin = resolve)));
  const refused = new Map<string, number>();
  const ask = (by: string | undefined, times: number): readonly Promise<unknown>[] =>
    Array.from({ length: times }, () =>
      queue
        .run('normal', () => Promise.resolve(), by)
        .catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'SERVICE_BUSY' });
          refused.set(by ?? 'nobody', (refused.get(by ?? 'nobody') ?? 0) + 1);
        }),
    );
  const asked = [...ask('greedy', 300), ...ask('other', 65), ...ask(undefined, 128), ...ask('late', 1)];
  expect(queue.waiting()).toBe(256);
  // an order of the same caller has turns of its own
  const order = queue.run('urgent', () => Promise.resolve('done'), 'greedy');
  begin();
  await Promise.all([first, ...asked]);
  expect(await order).toBe('done');
  expect([...refused]).toEqual([
    ['greedy', 236],
    ['other', 1],
    ['late', 1],
  ]);
  expect(await queue.run('normal', () => Promise.resolve('again'), 'greedy')).toBe('again');
});
