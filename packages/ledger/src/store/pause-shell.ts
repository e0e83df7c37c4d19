/** The one timer of the store: a pause between two tries for a lock. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms` milliseconds. */
export async function pauseMs(ms: number): Promise<void> {
  await sleep(ms);
}
