/**
 * Parts without a way back (firmware of one bank, migrations), after everything else of their release is healthy: what they may spoil is saved, then they are
 * brought in. Before the first of them is touched there is a way back as ever; from then on a failure holds the site, and nothing is taken back by itself.
 */
import { type Check, SiteError } from '@sealane/core';
import type { Admission } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import type { OneWayHooks } from '../drivers/one-way-hooks.js';
import type { Site } from '../site.js';
import { slotOf, startSlot, stopWorkload, watchUntilUp } from './slot-watch.js';
import type { SiteEvent, SiteState, Target } from './state.js';
import type { TrustFile } from './trust-file.js';

/** Tries at parts that may be brought in again, before a person is to look. */
const MAX_TRIES = 3;

/** The parts of what was admitted that have no way back. */
export function oneWayParts({ releaseDoc }: Pick<Admission, 'releaseDoc'>): readonly string[] {
  return releaseDoc?.components.filter(({ oneWay }) => oneWay === true).map(({ name }) => name) ?? [];
}

/** Why a release cannot be laid down here; undefined when all of its parts can be rolled back, or site.yaml says how such are brought in. */
export function oneWayRefusal({ config }: Pick<Site, 'config'>, admission: Admission): Check | undefined {
  const parts = oneWayParts(admission);
  if (parts.length === 0 || config.driver.oneWay !== undefined) return undefined;
  return {
    id: 'one-way',
    verdict: 'fail',
    expected: 'a release that can be rolled back, or driver.oneWay in site.yaml',
    actual: `no way back from ${parts.join(', ')}`,
    remedy: 'say in site.yaml how these parts are brought in (driver.oneWay), or promote a release without them',
    evidence: [],
    code: 'RELEASE_IRREVERSIBLE',
  };
}

/** The trust of this site with the floor that its own steps without a way back have raised. */
export function withOneWayFloor(trust: TrustFile, { oneWayFloor }: SiteState): TrustFile {
  return { ...trust, floor: { ...trust.floor, counter: Math.max(trust.floor.counter, oneWayFloor) } };
}

/** Saves what the parts may spoil. @throws SiteError `ONE_WAY_FAILED` it could not; nothing was touched */
export async function save(site: Site, target: Target): Promise<SiteEvent> {
  await hooksOf(site).save(slotOf(site.folder, target), target.oneWay ?? []);
  crashPoint('update:snapshot-taken');
  return { is: 'saved' };
}

/** Brings the parts in, unless that was begun before and only a person can tell what came of it. */
export async function applyOneWay(site: Site, target: Target, attempt: number): Promise<SiteEvent> {
  const hooks = hooksOf(site);
  const parts = target.oneWay ?? [];
  if (attempt > MAX_TRIES) return held(`${parts.join(', ')}: interrupted ${MAX_TRIES} times`);
  if (attempt > 1 && hooks.again === 'hold') return held(`${parts.join(', ')}: interrupted, and how far it came is not known`);
  try {
    await hooks.apply(slotOf(site.folder, target), parts);
  } catch (error) {
    if (error instanceof SiteError && error.code === 'ONE_WAY_FAILED') return held(error.message);
    throw error;
  }
  crashPoint('update:one-way-applied');
  return { is: 'applied' };
}

/** The release with its new parts: started again if it is down (a part may have restarted the host), and healthy once more, or held. */
export async function settle(
  site: Site,
  { target, attempt }: { readonly target: Target; readonly attempt: number },
  committed: () => SiteEvent,
): Promise<SiteEvent> {
  if (attempt > MAX_TRIES) return held(`not seen healthy after ${(target.oneWay ?? []).join(', ')}: interrupted ${MAX_TRIES} times`);
  const { driver } = site;
  try {
    const { is } = await driver.status();
    if (is === 'ended' || is === 'none') {
      await stopWorkload(site);
      await startSlot(site, target);
    }
  } catch (error) {
    if (error instanceof SiteError && error.code === 'HEALTH_FAILED') return held(error.message);
    throw error;
  }
  const { healthy, checks } = await watchUntilUp(site, target);
  return healthy
    ? committed()
    : held(`not healthy after ${(target.oneWay ?? []).join(', ')}: ${checks.map(({ actual }) => actual).join('; ')}`);
}

/** @throws SiteError `ONE_WAY_FAILED` site.yaml does not say it any more */
function hooksOf({ oneWay }: Site): OneWayHooks {
  if (oneWay !== undefined) return oneWay;
  throw new SiteError('ONE_WAY_FAILED', 'bring in parts without a way back: expected driver.oneWay in site.yaml, got nothing');
}

function held(message: string): SiteEvent {
  return { is: 'held', code: 'ONE_WAY_FAILED', message };
}
