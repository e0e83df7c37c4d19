/** What a new updater shows before it takes the place of the old one: that it can do here what the next update, and the next updater, will need of it. */
import path from 'node:path';
import { type Check, SealaneError, SiteError, utf8 } from '@sealane/core';
import { admit } from '@sealane/trust';
import { admitInput, laneOf } from '../apply/admission.js';
import { syncJob } from '../apply/ask-fetch.js';
import { startFetchProcess } from '../apply/fetch-shell.js';
import type { Machine } from '../apply/machine.js';
import { watchUntilUp } from '../apply/slot-watch.js';
import type { Target } from '../apply/state.js';
import { readTrustFile } from '../apply/trust-file.js';
import type { Site } from '../site.js';
import { failure } from './trial.js';

/** A fetch program that says nothing for so long hangs. */
const FETCH_MS = 60_000;

/** Refusals that say that the lane is false. The old updater let this release in, from this mirror. */
const FALSE = /^(?:TRUST|LOG|WAYBILL)_/;

/**
 * Its checks, in the order in which they are made; it ends with the first that fails. That it reads the journal of the old one, and adds to it, was seen before.
 *
 * @throws SealaneError what it runs into: a check that fails
 */
export async function checkUpdater(site: Site, machine: Machine, target: Target): Promise<readonly Check[]> {
  await site.signer.sign(utf8('a new updater can sign'));
  const judged = await judgesLane(site, machine, target);
  if (judged !== undefined) return [judged];
  await fetches(site);
  return (await watchUntilUp(site, target)).checks;
}

/** One that cannot verify the lane any more could never be replaced. Nothing of it is kept: the old one may come back. */
async function judgesLane(site: Site, machine: Machine, { cause, exception }: Target): Promise<Check | undefined> {
  const { reason } = admit(await admitInput(site, machine, laneOf(site)));
  const mayRefuse = cause !== 'update' || exception !== undefined || reason === null || reason === 'TRUST_EXPIRED' || !FALSE.test(reason);
  return mayRefuse ? undefined : failure('a new updater that verifies the lane as the old one did', `it refuses it with ${reason}`);
}

/** Its own `fetch`, with nothing to fetch and a folder of its own: it starts, and understands what it is asked. */
async function fetches(site: Site): Promise<void> {
  const { world, folder, config } = site;
  const own = path.join(folder.root, 'run', 'trial');
  const late = AbortSignal.timeout(FETCH_MS);
  const fetcher = startFetchProcess(world.disk, AbortSignal.any([world.signal, late]));
  try {
    await fetcher.sync({
      do: 'sync',
      places: [],
      pollSeconds: config.pollSeconds,
      mirror: path.join(own, 'mirror'),
      offer: path.join(own, 'offer'),
      job: syncJob(site, readTrustFile(world.disk, folder.trust)),
    });
  } catch (error) {
    if (late.aborted && error instanceof SealaneError)
      throw new SiteError(
        'FETCH_FAILED',
        `ask the new fetch process: expected an answer within ${FETCH_MS / 1000} s`,
        {},
        { cause: error },
      );
    throw error;
  } finally {
    await fetcher.close();
    world.disk.remove(own);
  }
}
