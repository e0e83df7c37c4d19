/** One after the other: what changes the site waits for what is under way, for a while. */
import { SiteError } from '@sealane/core';
import type { Clock } from '../clock.js';

/** Turns at changing the site. */
export interface Turns {
  /**
   * Runs `use` when it is its turn. `hurry` aborts when somebody who asks for `takeSoon` waits for its end.
   *
   * @throws SiteError `UPDATER_BUSY` what is under way takes longer than `waitMs`; nothing of `use` was done
   */
  take<T>(waitMs: number, use: Use<T>): Promise<T>;
  /** As `take`; what is under way, and what has its turn before, is told to hurry. */
  takeSoon<T>(waitMs: number, use: Use<T>): Promise<T>;
}

/** What is done in a turn. */
type Use<T> = (hurry: AbortSignal) => Promise<T>;

/**
 * Turns of those who may not crowd out others: one at a time waits or is under way.
 *
 * `take` throws SiteError `UPDATER_BUSY` at once while one of them is; nothing of `use` was done.
 */
export function oneAtATime(turns: Turns): Turns {
  let isTaken = false;
  const alone = async <T>(take: () => Promise<T>): Promise<T> => {
    if (isTaken) throw new SiteError('UPDATER_BUSY', 'change this site: expected one asking at a time here, another one asked before');
    isTaken = true;
    try {
      return await take();
    } finally {
      isTaken = false;
    }
  };
  return {
    take: (waitMs, use) => alone(() => turns.take(waitMs, use)),
    takeSoon: (waitMs, use) => alone(() => turns.takeSoon(waitMs, use)),
  };
}

/** Turns of one process. */
export function makeTurns(clock: Pick<Clock, 'sleep'>): Turns {
  let last: Promise<unknown> = Promise.resolve();
  const before = new Set<AbortController>();
  const take = async <T>(waitMs: number, use: Use<T>): Promise<T> => {
    const turn = last;
    const hurry = new AbortController();
    let end: () => void = () => undefined;
    last = Promise.all([turn, new Promise<void>((resolve) => (end = resolve))]);
    before.add(hurry);
    try {
      if (!(await inTime(turn, waitMs, clock)))
        throw new SiteError('UPDATER_BUSY', `change this site: expected a turn within ${waitMs / 1000} s, something else is under way`);
      return await use(hurry.signal);
    } finally {
      before.delete(hurry);
      end();
    }
  };
  return {
    take,
    takeSoon: (waitMs, use) => {
      for (const hurry of before) hurry.abort();
      return take(waitMs, use);
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
