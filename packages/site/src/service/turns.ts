/** One after the other: what changes the site waits for what is under way, for a while. */
import { SiteError } from '@sealane/core';
import type { Clock } from '../clock.js';

/** Turns at changing the site. */
export interface Turns {
  /**
   * Runs `use` when it is its turn.
   *
   * @throws SiteError `UPDATER_BUSY` what is under way takes longer than `waitMs`; nothing of `use` was done
   */
  take<T>(waitMs: number, use: () => Promise<T>): Promise<T>;
}

/**
 * Turns of those who may not crowd out others: one at a time waits or is under way.
 *
 * `take` throws SiteError `UPDATER_BUSY` at once while one of them is; nothing of `use` was done.
 */
export function oneAtATime(turns: Turns): Turns {
  let isTaken = false;
  return {
    take: async (waitMs, use) => {
      if (isTaken) throw new SiteError('UPDATER_BUSY', 'change this site: expected one asking at a time here, another one asked before');
      isTaken = true;
      try {
        return await turns.take(waitMs, use);
      } finally {
        isTaken = false;
      }
    },
  };
}

/** Turns of one process. */
export function makeTurns(clock: Pick<Clock, 'sleep'>): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take: async (waitMs, use) => {
      const before = last;
      let end: () => void = () => undefined;
      last = Promise.all([before, new Promise<void>((resolve) => (end = resolve))]);
      try {
        if (!(await inTime(before, waitMs, clock)))
          throw new SiteError('UPDATER_BUSY', `change this site: expected a turn within ${waitMs / 1000} s, something else is under way`);
        return await use();
      } finally {
        end();
      }
    },
  };
}

async function inTime(turn: Promise<unknown>, waitMs: number, clock: Pick<Clock, 'sleep'>): Promise<boolean> {
  if (waitMs === Infinity) return await turn.then(() => true);
  const stop = new AbortController();
  const late = clock.sleep(waitMs, stop.signal).then(
    () => false,
    () => true,
  );
  const came = await Promise.race([turn.then(() => true), late]);
  stop.abort();
  return came;
}
