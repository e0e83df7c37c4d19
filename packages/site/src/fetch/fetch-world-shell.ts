/** The real world of `fetch`. */
import { systemClock } from '../clock.js';
import { nodeDisk } from '../disk.js';
import type { FetchWorld } from './sync-run.js';

/** Disk, clock and chance of this host; `signal` breaks off what is under way. */
export function fetchWorld(signal: AbortSignal): FetchWorld {
  return { disk: nodeDisk, clock: systemClock, random: Math.random, signal };
}
