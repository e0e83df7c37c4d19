/**
 * Routes of what must go up whatever the disk says: receipts, requests for certificates. What was learnt of places says who is asked first, and nothing more. A
 * sync does without this, since routes count what was spent too.
 */
import { isSystemError } from '../../disk.js';
import { NO_ROUTES } from './health.js';
import type { Place } from './place.js';
import { openRoutes, type Routes, type RoutesWorld } from './routes.js';

/** As `openRoutes`; from a disk that cannot be read nothing is known of any place, and `said` is told why. */
export function openTolerantRoutes(mirror: string, world: RoutesWorld, pollSeconds: number, said: (error: Error) => void): Routes {
  try {
    return openRoutes(mirror, world, '', pollSeconds);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    said(error);
    return openRoutes(mirror, world, '', pollSeconds, NO_ROUTES);
  }
}

/** Keeps what was learnt. What has arrived has arrived, whether this site remembers who took it or not: a disk that takes no note costs some tries, and the next sync says so. */
export function remember(routes: Routes, places: readonly Place[]): void {
  try {
    routes.save(places.map(({ at }) => at));
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
