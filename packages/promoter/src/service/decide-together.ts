/**
 * Promotions that callers ask for, decided together: those that come while others are being published wait for their turn in the queue and are one
 * batch then.
 */
import { PromoterError } from '@sealane/core';
import type { Outcome } from '../decision/plan.js';
import type { Answer, Wish } from '../decision/promote.js';
import type { WorkQueue } from './work-queue.js';

/** Questions of one batch: what it publishes fits a few hundred milliseconds. */
const MAX_BATCH = 64;
/** How many may wait. */
const MAX_WAITING = 256;
/** How long a batch goes on taking questions: with gates over a large fleet each takes long, and an order must not wait for many. In milliseconds. */
const JUDGING_MS = 500;

/** What deciding together works on. */
export interface Deciding {
  readonly queue: WorkQueue;
  /** Monotonic time in milliseconds. */
  readonly nowMs: () => number;
  /** Decides a batch: `promoteTogether`, under the publish lock. */
  readonly decide: (wishes: readonly Wish[], goOn: () => boolean) => Promise<readonly (Answer | undefined)[]>;
}

/** Promotes as the command does. @throws PromoterError `SERVICE_BUSY` too many wait already; else as the command */
export type PromoteTogether = (wish: Wish) => Promise<Outcome>;

interface Asked {
  readonly wish: Wish;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Nothing waits yet. */
export function decideTogether({ queue, nowMs, decide }: Deciding): PromoteTogether & { readonly waiting: () => number } {
  const waiting: Asked[] = [];
  let hasTurn = false;

  const takeTurn = (): void => {
    if (hasTurn || waiting.length === 0) return;
    hasTurn = true;
    queue
      .run('normal', decideBatch)
      .catch((error: unknown) => {
        // no turn is to be had: whoever waits is told
        for (const { reject } of waiting.splice(0)) reject(error);
      })
      .finally(() => {
        hasTurn = false;
        takeTurn();
      });
  };

  const decideBatch = async (): Promise<void> => {
    const batch = waiting.splice(0, MAX_BATCH);
    const until = nowMs() + JUDGING_MS;
    const goOn = (): boolean => nowMs() < until && !queue.isUrgent();
    try {
      const answers = await decide(
        batch.map(({ wish }) => wish),
        goOn,
      );
      // what was not answered goes first in the next batch
      waiting.unshift(...batch.filter((_, at) => answers[at] === undefined));
      batch.forEach((asked, at) => settle(asked, answers[at]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  const ask = (wish: Wish): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= MAX_WAITING) {
        reject(new PromoterError('SERVICE_BUSY', `take a promotion in: expected at most ${MAX_WAITING} waiting`));
        return;
      }
      waiting.push({ wish, resolve, reject });
      takeTurn();
    });
  return Object.assign(ask, { waiting: () => waiting.length });
}

function settle({ resolve, reject }: Asked, answer: Answer | undefined): void {
  if (answer === undefined) return;
  if ('error' in answer) reject(answer.error);
  else resolve(answer.outcome);
}
