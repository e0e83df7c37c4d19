/** Sees to it that what is committed runs. */
import { type ErrorCode, SiteError } from '@sealane/core';
import type { Site } from '../site.js';
import { startSlot, stopWorkload } from './slot-watch.js';
import type { SiteState } from './state.js';

/** Why a driver could not start what is committed; one of them when site.yaml names another driver since. */
const NOT_STARTED: readonly ErrorCode[] = ['HEALTH_FAILED', 'DRIVER_REFUSED', 'DRIVER_NOT_READY'];

/** After a reboot or a crash of the workload: what is committed runs, unless an operator stopped it or the site is drained. */
export async function keepRunning(site: Site, state: SiteState): Promise<void> {
  const { current, phase, stopped, drained } = state;
  // what was only laid down has not touched it
  if (current === null || stopped || drained !== null || !['idle', 'admitted', 'staged'].includes(phase.at)) return;
  const status = await site.driver.status();
  if (status.is === 'running' || status.is === 'handed-over' || status.is === 'restarting') return;
  site.world.talk(
    `${current.name} ${current.version} was not running (${status.is === 'ended' ? status.how : 'never started'}): started again`,
  );
  try {
    // where a start takes the place of what runs, nothing of it that is well goes down for what is not
    if (site.driver.replaces !== true) await stopWorkload(site);
    await startSlot(site, current);
  } catch (error) {
    // whatever this command was about has been done; the next one tries again
    if (!(error instanceof SiteError) || !NOT_STARTED.includes(error.code)) throw error;
    site.world.talk(error.message);
  }
}
