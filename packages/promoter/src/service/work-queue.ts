/**
 * What changes the lane, one piece of work after another: a revocation goes before all that waits, receipts of sites after it. Bounded, so that a
 * crowd is told to come back rather than kept in memory; of each caller only a share.
 */
import { expectRoom, type Waiting } from './waiting-room.js';

/** In the order of their turn. */
const URGENCIES = ['urgent', 'normal', 'low'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** How many of each may wait. A revocation is never turned away for the number of others. */
const MAX_WAITING: Readonly<Record<Urgency, number>> = { urgent: 1024, normal: 256, low: 64 };
/** After this long without a break others who wait for the same lock get their turn. In milliseconds. */
const TURN_MS = 1000;

export interface WorkQueue {
  /** Runs `work` when its turn comes; `by`: for which caller. @throws PromoterError `SERVICE_BUSY` too many wait already, or too many of that caller; else as `work` */
  run<T>(urgency: Urgency, work: () => Promise<T>, by?: string): Promise<T>;
  /** How many wait. */
  waiting(): number;
  /** Whether something urgent waits: what takes long should come to an end. */
  isUrgent(): boolean;
}

export interface QueueTime {
  /** Monotonic time in milliseconds. */
  readonly nowMs: () => number;
  /** Lets another process take the publish lock, where one waits. */
  readonly giveWay: () => Promise<void>;
}

interface Turn extends Waiting {
  readonly work: () => Promise<void>;
}

/** An empty queue. */
export function workQueue({ nowMs, giveWay }: QueueTime): WorkQueue {
  const waiting: Record<Urgency, Turn[]> = { urgent: [], normal: [], low: [] };
  let isRunning = false;

  const next = (): (() => Promise<void>) | undefined =>
    URGENCIES.map((urgency) => waiting[urgency])
      .find(({ length }) => length > 0)
      ?.shift()?.work;

  const runAll = async (): Promise<void> => {
    let began = nowMs();
    for (let work = next(); work !== undefined; work = next()) {
      await work();
      if (nowMs() - began < TURN_MS) continue;
      // what is wrong with the lock fails the next piece of work, which is waited for
      await giveWay().catch(() => undefined);
      began = nowMs();
    }
    isRunning = false;
  };

  return {
    run: <T>(urgency: Urgency, work: () => Promise<T>, by?: string) =>
      new Promise<T>((resolve, reject) => {
        // what is thrown here rejects
        expectRoom(waiting[urgency], by, 'work', MAX_WAITING[urgency]);
        // the outcome is the caller's business, never the next one's
        waiting[urgency].push({ by, work: () => work().then(resolve, reject) });
        if (isRunning) return;
        isRunning = true;
        void runAll();
      }),
    isUrgent: () => waiting.urgent.length > 0,
    waiting: () => URGENCIES.reduce((sum, urgency) => sum + waiting[urgency].length, 0),
  };
}
