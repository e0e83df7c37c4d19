/** Paces of a sync's downloads: budgets and limits of each place, and a look for news every few seconds, whatever is under way. */
import { SealaneError } from '@sealane/core';
import { isOpen } from '../apply/windows.js';
import { type Pace, paceOf } from './routes/pace.js';
import type { Place, RateLimits } from './routes/place.js';
import type { SyncRun } from './sync-run.js';

/** Thrown through a download when the lane has a new timestamp: `apply` judges that before more is brought. */
export class News extends Error {}

/** Between two looks. With a span on its way it is well below the ten seconds in which a revocation has to be here. */
const LOOK_SECONDS = 3;

/** Time of day changes little in it: finding out costs more. */
const LIMIT_SECONDS = 30;

/** The pace of downloads from each place. `look` throws `News`. */
export function paceTo({ world, job, routes, meters }: SyncRun, look: () => Promise<void>): (place: Place) => Pace {
  const { clock, signal } = world;
  const began = clock.uptimeSeconds();
  let looked = began;
  const lookForNews = async (): Promise<void> => {
    if (job.expiry === 'medium' || clock.uptimeSeconds() - looked < LOOK_SECONDS) return;
    await orUnreached(look);
    looked = clock.uptimeSeconds();
  };
  const nowMs = (): number => Date.parse(job.now) + (clock.uptimeSeconds() - began) * 1000;
  return (place) =>
    paceOf({
      at: place.at,
      knownRate: () => routes.bytesPerSecond(place.at),
      minRate: place.minBytesPerSecond,
      limit: limitOf(place.rates, nowMs),
      leftToSpend: () => routes.leftToSpend(place),
      sawBytes: (bytes, seconds) => {
        routes.took(place.at, bytes, seconds);
        meters.of(place.at).bulk(bytes, seconds);
      },
      sleep: (ms) => clock.sleep(ms, signal),
      lookForNews,
    });
}

/** Where trust cannot be reached for a moment there is no news. */
async function orUnreached(look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof SealaneError) || (error.code !== 'FETCH_FAILED' && error.code !== 'FETCH_TOO_SLOW')) throw error;
  }
}

/** The lowest limit that holds at a time; found out now and then. */
function limitOf(rates: RateLimits | null, nowMs: () => number): () => number | null {
  let known: number | null = null;
  let at = -Infinity;
  return () => {
    if (rates === null || nowMs() - at < LIMIT_SECONDS * 1000) return known;
    at = nowMs();
    const time = new Date(at).toISOString();
    const open = rates.limits.filter((limit) => isOpen({ timeZone: rates.timeZone, open: [limit] }, time));
    known = open.length === 0 ? null : Math.min(...open.map(({ bytesPerSecond }) => bytesPerSecond));
    return known;
  };
}
