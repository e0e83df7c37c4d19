/**
 * Work that is cheaper done together: what comes while a batch is under way waits for its turn in the queue and is one batch then. Bounded; every
 * caller is answered, and a batch that fails tells only those who are in it.
 */
import { expectRoom, type Waiting } from './waiting-room.js';
import type { WorkQueue } from './work-queue.js';

/** How many may wait. */
const MAX_WAITING = 256;

/** What came of one of a batch: a value, or why there is none. */
export type Done<A> = { readonly value: A } | { readonly error: Error };

export interface Batches<Q, A> {
  readonly queue: WorkQueue;
  /** What one of them is called when it is turned away: `a promotion`. */
  readonly noun: string;
  /** Most of one batch. */
  readonly maxBatch: number;
  /**
   * Waits until what has come in already was asked: before work that leaves nobody time to ask until it is done. It may wait for as many as are
   * `expected`: those who were in the last batch, or came while it was under way. Undefined: not at all.
   */
  readonly gather?: (waiting: () => number, expected: number) => Promise<void> | undefined;
  /** Does a batch, in its turn; what it leaves undefined goes first in the next one. */
  readonly work: (batch: readonly Q[]) => Promise<readonly (Done<A> | undefined)[]>;
}

/** Does one of them, with others; `by`: for which caller. @throws PromoterError `SERVICE_BUSY` too many wait already, or too many of that caller; else as the work */
export type Together<Q, A> = ((question: Q, by?: string) => Promise<A>) & { readonly waiting: () => number };

interface Asked<Q, A> extends Waiting {
  readonly question: Q;
  readonly resolve: (value: A) => void;
  readonly reject: (error: unknown) => void;
}

/** Nothing waits yet. */
export function together<Q, A>({ queue, noun, maxBatch, gather, work }: Batches<Q, A>): Together<Q, A> {
  const waiting: Asked<Q, A>[] = [];
  let hasTurn = false;
  let expected = 0;

  const takeTurn = (): void => {
    if (hasTurn || waiting.length === 0) return;
    hasTurn = true;
    queue
      .run('normal', doBatch)
      .catch((error: unknown) => {
        // no turn is to be had: whoever waits is told
        for (const { reject } of waiting.splice(0)) reject(error);
      })
      .finally(() => {
        hasTurn = false;
        takeTurn();
      });
  };

  const doBatch = async (): Promise<void> => {
    const gathering = gather?.(() => waiting.length, expected);
    if (gathering !== undefined) await gathering;
    const batch = waiting.splice(0, maxBatch);
    try {
      const done = await work(batch.map(({ question }) => question));
      expected = batch.length + waiting.length;
      waiting.unshift(...batch.filter((_, at) => done[at] === undefined));
      batch.forEach((asked, at) => settle(asked, done[at]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  const ask = (question: Q, by?: string): Promise<A> =>
    new Promise((resolve, reject) => {
      // what is thrown here rejects
      expectRoom(waiting, by, noun, MAX_WAITING);
      waiting.push({ question, by, resolve, reject });
      takeTurn();
    });
  return Object.assign(ask, { waiting: () => waiting.length });
}

function settle<Q, A>({ resolve, reject }: Asked<Q, A>, done: Done<A> | undefined): void {
  if (done === undefined) return;
  if ('error' in done) reject(done.error);
  else resolve(done.value);
}
