/** Keeps what the service publishes from running out: it looks each hour, and has signed anew what has become old. */
import { SealaneError } from '@sealane/core';
import { type DueRefresh, type Refresh, renewBy } from '../trust/refresh-lane.js';
import type { Logger } from './log-shell.js';
import type { WorkQueue } from './work-queue.js';

/**
 * What is old is told by what lies there, not by when this process began: one that is started each hour, or two that share a lane, sign no more often than
 * one. In milliseconds.
 */
const LOOK_MS = 3_600_000;
/** What the owners have to sign is said at the first look and then once a day. */
const LOOKS_A_DAY = 24;

export interface FreshParts {
  readonly log: Logger;
  readonly due: () => DueRefresh;
  /** All else that changes the lane. */
  readonly queue: Pick<WorkQueue, 'run'>;
  /** Publishes what is due. */
  readonly refresh: () => Promise<Refresh | undefined>;
  /** Calls `look` once, later; returns how to call it off. */
  readonly later: (look: () => void, ms: number) => () => void;
}

/** Begins at once. `stop` waits for what is under way. What fails is said and tried again at the next look: there are days left for it. */
export function keepFresh({ log, due, queue, refresh, later }: FreshParts): { stop(): Promise<void> } {
  let [isStopped, callOff, looking] = [false, (): void => undefined, Promise.resolve()];
  let looks = 0;
  const look = async (): Promise<void> => {
    try {
      const { isDue, owners } = due();
      for (const { role, expiresAt } of looks++ % LOOKS_A_DAY === 0 ? owners : [])
        log.warn({ role, expiresAt }, `runs out, and only the owners can renew it: ${renewBy(role)}`);
      // once a day, and before all that callers and strangers can have wait: whoever kept it out for a week would stop every site
      const done = isDue ? await queue.run('urgent', refresh) : undefined;
      if (done !== undefined) log.info({ stages: done.stages }, 'published anew, so that nothing runs out');
      for (const { stage, why } of done?.left ?? []) log.warn({ stage, reason: why }, 'a stage runs out, and is not signed anew here');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ ...(error instanceof SealaneError ? { code: error.code } : {}), reason }, 'not published anew');
    }
  };
  const begin = (): void => {
    looking = look().then(() => {
      if (!isStopped) callOff = later(begin, LOOK_MS);
    });
  };
  begin();
  return {
    stop: async () => {
      isStopped = true;
      callOff();
      await looking;
    },
  };
}
