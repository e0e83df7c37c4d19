/** What one sync runs with. */
import type { Digest } from '@sealane/core';
import type { Clock } from '../clock.js';
import type { Disk } from '../disk.js';
import type { LinkMeters } from './link-meter.js';
import type { Links } from './links.js';
import type { Mirror } from './mirror.js';
import type { Place } from './routes/place.js';
import type { Routes } from './routes/routes.js';
import type { SyncJob } from './sync-job.js';

/** The outside of `fetch`. `random` gives 0–1, to spread out waits. */
export interface FetchWorld {
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'uptimeSeconds' | 'bootId' | 'sleep'>;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** The same place may be named twice, for one class of traffic each. */
export interface SyncRun {
  readonly world: FetchWorld;
  readonly job: SyncJob;
  readonly places: readonly Place[];
  readonly mirror: Mirror;
  readonly links: Links;
  readonly routes: Routes;
  readonly meters: LinkMeters;
  /** What the sync learns of itself: releases of which something was missing, and whether all has come. */
  readonly brings: { readonly releases: Set<Digest>; isWhole: boolean };
}
