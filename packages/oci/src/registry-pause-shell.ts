/** Waiting, for the registry client where its caller gives it no other way. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms` milliseconds. */
export async function pauseMs(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal });
}
