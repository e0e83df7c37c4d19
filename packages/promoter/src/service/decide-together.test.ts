/** Who asks while others are decided is in the next batch; a batch is bounded, ends for an order, and loses nobody. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../decision/plan.js';
import type { Answer, Wish } from '../decision/promote.js';
import { decideTogether, type PromoteTogether } from './decide-together.js';
import { workQueue, type WorkQueue } from './work-queue.js';

let queue: WorkQueue;
let batches: (readonly string[])[];
let now: number;
let onPause: () => Promise<void>;

beforeEach(() => {
  queue = workQueue({ nowMs: () => 0, giveWay: () => Promise.resolve() });
  batches = [];
  now = 0;
  onPause = () => Promise.resolve();
});

const wish = (release: string): Wish => ({ release, stage: 'dev', group: undefined });
const outcome = (release: string): Answer => ({ outcome: { release, decision: 'passed' } as unknown as Outcome });

/** Answers each wish that `judge` answers, for as long as it may go on. */
function deciding(judge: (release: string) => Answer | undefined = outcome): PromoteTogether & { readonly waiting: () => number } {
  return decideTogether({
    queue,
    nowMs: () => now,
    pause: () => onPause(),
    decide: async (wishes, goOn) => {
      await Promise.resolve();
      batches.push(wishes.map(({ release }) => release));
      return wishes.map(({ release }, at) => (at === 0 || goOn() ? judge(release) : undefined));
    },
  });
}

describe('decideTogether', () => {
  it('takes together what came while others were decided, and answers each', async () => {
    const ask = deciding((release) => (release === 'c' ? { error: new Error('no c') } : outcome(release)));
    const first = ask(wish('a'));
    await Promise.resolve();
    const rest = ['b', 'c', 'd'].map((release) => ask(wish(release)));
    expect(await first).toMatchObject({ release: 'a' });
    const answers = await Promise.allSettled(rest);
    expect(answers).toMatchObject([{ value: { release: 'b' } }, { reason: { message: 'no c' } }, { value: { release: 'd' } }]);
    expect(batches).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('asks again, first of all, what a batch did not answer', async () => {
    let asked = 0;
    const ask = deciding((release) => (release === 'b' && asked++ === 0 ? undefined : outcome(release)));
    await Promise.all(['x', 'a', 'b', 'c'].map((release) => ask(wish(release))));
    expect(batches).toEqual([['x'], ['a', 'b', 'c'], ['b']]);
  });

  it('waits for those who were answered together to ask again, and for nobody who does not', async () => {
    const ask = deciding();
    const all = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(all.map((release) => ask(wish(release))));
    const comes = [undefined, undefined, 'b', 'c'];
    let pauses = 0;
    const later: Promise<Outcome>[] = [];
    onPause = () => {
      const release = comes[pauses++];
      if (release !== undefined) later.push(ask(wish(release)));
      return Promise.resolve();
    };
    await ask(wish('a'));
    await Promise.all(later);
    expect(batches).toEqual([['a'], ['b', 'c', 'd', 'e'], ['a', 'b', 'c']]);
    // one more: then they were fewer than one in two pauses
    expect(pauses).toBe(comes.length + 1);
  });

  it('waits for nobody in the batches after those who were waited for did not come, and then tries again', async () => {
    let pauses = 0;
    onPause = () => Promise.resolve(void (pauses += 1));
    const ask = deciding();
    /** Eight who ask together and never again, and then one: how many pauses it was waited for them. */
    const crowdAndOne = async (): Promise<number> => {
      await Promise.all(Array.from({ length: 8 }, (_, n) => ask(wish(String(n)))));
      pauses = 0;
      await ask(wish('alone'));
      return pauses;
    };
    const waited: number[] = [];
    for (let round = 0; round < 9; round += 1) waited.push(await crowdAndOne());
    // in vain, and then in one, two and four batches not at all
    expect(waited).toEqual([3, 0, 3, 0, 0, 3, 0, 0, 0]);
  });

  it('gives up those who come too slowly', async () => {
    let pauses = 0;
    const ask = deciding();
    await Promise.all(Array.from({ length: 24 }, (_, n) => ask(wish(String(n)))));
    const later: Promise<Outcome>[] = [];
    onPause = () => {
      pauses += 1;
      // one in three pauses: at two hundred a second it is one in four or five
      if (pauses % 3 === 0) later.push(ask(wish(`late ${pauses}`)));
      return Promise.resolve();
    };
    await ask(wish('first'));
    await Promise.all(later);
    expect(batches.slice(2)).toEqual([['first', 'late 3']]);
    expect(pauses).toBe(4);
  });

  it('waits for nobody when one asks after another', async () => {
    const ask = deciding();
    onPause = () => Promise.reject(new Error('expected no pause'));
    await ask(wish('a'));
    await ask(wish('b'));
    expect(batches).toEqual([['a'], ['b']]);
  });

  it('ends a batch after half a second, and when an order waits', async () => {
    const ask = deciding((release) => {
      if (release === 'slow') now += 500;
      if (release === 'ordered') void queue.run('urgent', () => Promise.resolve(void batches.push(['order'])));
      return outcome(release);
    });
    await Promise.all(['x', 'slow', 'a', 'ordered', 'b'].map((release) => ask(wish(release))));
    expect(batches).toEqual([['x'], ['slow', 'a', 'ordered', 'b'], ['a', 'ordered', 'b'], ['order'], ['b']]);
  });

  it('takes 64 at a time and turns away who comes when 256 wait', async () => {
    const ask = deciding();
    const asked = Array.from({ length: 300 }, (_, n) => ask(wish(String(n))));
    const answers = await Promise.allSettled(asked);
    // the first one did not wait
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1 + 256);
    expect(batches.map(({ length }) => length)).toEqual([1, 64, 64, 64, 64]);
    expect(ask.waiting()).toBe(0);
    expect(answers.at(-1)).toMatchObject({ reason: { code: 'SERVICE_BUSY' } });
  });

  it('lets one caller have a quarter of what may wait: others get in', async () => {
    const ask = deciding();
    const greedy = Array.from({ length: 300 }, (_, n) => ask(wish(`greedy ${n}`), 'greedy'));
    const others = ['a', 'b'].map((name) => ask(wish(name), name));
    const answers = await Promise.allSettled(greedy);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1 + 64);
    expect(answers.at(-1)).toMatchObject({ reason: { code: 'SERVICE_BUSY' } });
    expect(await Promise.all(others)).toMatchObject([{ release: 'a' }, { release: 'b' }]);
  });

  it('tells everybody in a batch that could not begin, and goes on with the next', async () => {
    let isAway = true;
    const ask = decideTogether({
      queue,
      nowMs: () => now,
      pause: () => onPause(),
      decide: (wishes) => {
        if (!isAway) return Promise.resolve(wishes.map(({ release }) => outcome(release)));
        isAway = false;
        return Promise.reject(new Error('no lock'));
      },
    });
    const [first, second] = await Promise.allSettled([ask(wish('a')), ask(wish('b'))]);
    expect([first.status, second.status]).toContain('rejected');
    expect(await ask(wish('c'))).toMatchObject({ release: 'c' });
  });
});
