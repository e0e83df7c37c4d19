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
const QUIET_PAUSES = 3;
/** Pauses after which it shows whether they come together: one in two of them, or more. */
const TELLING_PAUSES = 4;
/** Most pauses before a batch: a small part of what a batch takes. */
const MAX_PAUSES = 25;
/** Of how many that are waited for the share that comes says something. */
const TELLING = 4;
/** Most batches that begin without a pause, after pauses in which few came. */
const MAX_AT_ONCE = 16;

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

/** Promotes as the command does; `by`: for which caller. @throws PromoterError `SERVICE_BUSY` too many wait already, or too many of that caller; else as the command */
export type PromoteTogether = (wish: Wish, by?: string) => Promise<Outcome>;

/** Nothing waits yet. */
export function decideTogether({ queue, nowMs, pause, decide }: Deciding): Together<Wish, Outcome> {
  const patience = { batchesAtOnce: 0, next: 1 };
  return together({
    queue,
    noun: 'a promotion',
    maxBatch: MAX_BATCH,
    gather: (waiting, expected) => {
      const missing = (): number => Math.min(expected, MAX_BATCH) - waiting();
      if (queue.isUrgent() || missing() <= 0) return undefined;
      if (patience.batchesAtOnce > 0) return void (patience.batchesAtOnce -= 1);
      const before = missing();
      return whileTheyAsk(pause, missing, () => queue.isUrgent()).then(() => learn(patience, { before, after: missing() }));
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
async function whileTheyAsk(pause: () => Promise<void>, missing: () => number, isUrgent: () => boolean): Promise<void> {
  const wanted = missing();
  for (let [pauses, quiet] = [0, 0]; pauses < MAX_PAUSES && quiet < QUIET_PAUSES && missing() > 0 && !isUrgent(); pauses += 1) {
    // they come one by one, and not because they were answered
    if (pauses >= TELLING_PAUSES && 2 * (wanted - missing()) < pauses) return;
    const before = missing();
    await pause();
    quiet = missing() < before ? 0 : quiet + 1;
  }
}

/** Whether it is worth while to wait for those who were answered together. */
interface Patience {
  /** Batches that are to begin at once. */
  batchesAtOnce: number;
  /** How many they will be when few come again. */
  next: number;
}

/** Where each question is a caller's only one, few of those come who are waited for: ever more batches then begin at once, before it is tried again. */
function learn(patience: Patience, missing: { readonly before: number; readonly after: number }): void {
  if (missing.before < TELLING) return;
  if (2 * missing.after <= missing.before) patience.next = 1;
  else {
    patience.batchesAtOnce = patience.next;
    patience.next = Math.min(2 * patience.next, MAX_AT_ONCE);
  }
}

function doneOf(answer: Answer | undefined): Done<Outcome> | undefined {
  if (answer === undefined || 'error' in answer) return answer;
  return { value: answer.outcome };
}
