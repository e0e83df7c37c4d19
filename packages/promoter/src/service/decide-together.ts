/**
 * Promotions that callers ask for, decided together: those that come while others are being published wait for their turn in the queue and are one
 * batch then.
 */
import type { Outcome } from '../decision/plan.js';
import type { Answer, Wish } from '../decision/promote.js';
import { type Done, type Together, together } from './together.js';
import type { WorkQueue } from './work-queue.js';

/** Questions of one batch: what it publishes fits a few hundred milliseconds. */
const MAX_BATCH = 64;
/** How long a batch goes on taking questions: with gates over a large fleet each takes long, and an order must not wait for many. In milliseconds. */
const JUDGING_MS = 500;

/** Pauses in which nobody asks, after which nobody more is waited for. */
const QUIET_PAUSES = 5;
/** Most pauses before a batch: a small part of what a batch takes. */
const MAX_PAUSES = 25;

/** What deciding together works on. */
export interface Deciding {
  readonly queue: WorkQueue;
  /** Monotonic time in milliseconds. */
  readonly nowMs: () => number;
  /** Lets what has come in be asked: a millisecond or so. */
  readonly pause: () => Promise<void>;
  /** Decides a batch: `promoteTogether`, under the publish lock. */
  readonly decide: (wishes: readonly Wish[], goOn: () => boolean) => Promise<readonly (Answer | undefined)[]>;
}

/** Promotes as the command does. @throws PromoterError `SERVICE_BUSY` too many wait already; else as the command */
export type PromoteTogether = (wish: Wish) => Promise<Outcome>;

/** Nothing waits yet. */
export function decideTogether({ queue, nowMs, pause, decide }: Deciding): Together<Wish, Outcome> {
  return together({
    queue,
    noun: 'a promotion',
    maxBatch: MAX_BATCH,
    gather: (waiting, expected) => {
      const isEnough = (): boolean => queue.isUrgent() || waiting() >= Math.min(expected, MAX_BATCH);
      return isEnough() ? undefined : whileTheyAsk(pause, waiting, isEnough);
    },
    work: async (wishes) => {
      const until = nowMs() + JUDGING_MS;
      const answers = await decide(wishes, () => nowMs() < until && !queue.isUrgent());
      return answers.map(doneOf);
    },
  });
}

/**
 * Waits while questions come: callers who were answered together ask again together. Else those who ask first would be a batch of their own, all others
 * would wait for it, and a batch's flushes and signatures would be shared by half as many. Who asks alone does not wait.
 */
async function whileTheyAsk(pause: () => Promise<void>, waiting: () => number, isEnough: () => boolean): Promise<void> {
  for (let [pauses, quiet] = [0, 0]; pauses < MAX_PAUSES && quiet < QUIET_PAUSES && !isEnough(); pauses += 1) {
    const before = waiting();
    await pause();
    quiet = waiting() > before ? 0 : quiet + 1;
  }
}

function doneOf(answer: Answer | undefined): Done<Outcome> | undefined {
  if (answer === undefined || 'error' in answer) return answer;
  return { value: answer.outcome };
}
