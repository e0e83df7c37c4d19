/** The real world of `fetch`. */
import { systemClock } from '../clock.js';
import { nodeDisk } from '../disk.js';
import type { FetchWorld } from './sync-run.js';

/** Disk, clock and chance of this host; `signal` breaks off what is under way. `boot` names this boot where a sandbox hides it from this process. */
export function fetchWorld(signal: AbortSignal, boot?: string): FetchWorld {
  const clock = boot === undefined ? systemClock : { ...systemClock, bootId: () => boot };
  return { disk: nodeDisk, clock, random: Math.random, signal };
}
