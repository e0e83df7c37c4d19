/** Taken out for maintenance, and back: what the channel says of this site, kept in the journal, so that a reboot or a lost link changes nothing. */
import { type Check, ERRORS, SiteError } from '@sealane/core';
import type { Admission } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import type { Site } from '../site.js';
import type { Machine } from './machine.js';
import { stopWorkload } from './slot-watch.js';
import type { SiteState } from './state.js';

/**
 * Stops the workload in order where the channel drains this site, and lets it start again where it says so no more. A lane that could not be verified says
 * neither.
 */
export async function followDrain(site: Pick<Site, 'driver' | 'world' | 'folder'>, machine: Machine, { checks }: Admission): Promise<void> {
  const { driver, world } = site;
  const check = checks.find(({ id }) => id === 'drain');
  if (check === undefined) return;
  const { drained } = machine.state();
  if (check.verdict === 'pass') {
    if (drained === null) return;
    machine.record({ is: 'rejoined' });
    const { phase } = machine.state();
    world.talk(`this site rejoins: ${phase.at === 'held' ? 'it waits for a person as before' : 'what is committed is started again'}`);
    return;
  }
  if (drained === null) machine.record({ is: 'drained', reason: check.actual });
  crashPoint('update:drained');
  // of one that has ended a part may run on: what is stopped is none
  if ((await driver.status()).is === 'none') return;
  world.talk(`the workload is stopped: ${check.actual}`);
  await stopWorkload(site);
}

/** @throws SiteError `SITE_DRAINED` */
export function expectNotDrained({ drained }: Pick<SiteState, 'drained'>, doing: string): void {
  if (drained !== null) throw new SiteError('SITE_DRAINED', `${doing}: expected a site that is not drained, got: ${drained}`);
}

/** The failed check of a drained site; undefined for any other. */
export function drainCheck({ drained }: Pick<SiteState, 'drained'>): Check | undefined {
  if (drained === null) return undefined;
  const expected = 'a site that is not drained';
  return { id: 'drain', verdict: 'fail', expected, actual: drained, remedy: ERRORS.SITE_DRAINED.hint, evidence: [], code: 'SITE_DRAINED' };
}
