/** Going back by hand: to a release that is kept, by the same way as an update, watched like one. */
import { type Digest, SiteError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import type { Site } from '../site.js';
import { barOf } from './bars.js';
import { drainCheck } from './drain.js';
import { exceptionForRollback, usedBy } from './exception.js';
import { heldResult, trialResult } from './answers.js';
import { waitsForProgram } from '../self/trial.js';
import { carryOutTarget, contextOf, finishInterrupted } from './update.js';
import type { Machine } from './machine.js';
import { withOneWayFloor } from './one-way.js';
import type { SiteResult } from './outcome.js';
import { pruneSlots } from './prune.js';
import { retiredResult, retirementOf } from './retirement.js';
import { flushQueue } from './receipt-flush.js';
import { secretsFor } from './secret-versions.js';
import type { SiteState, Slot } from './state.js';
import { momentOf } from './trusted-time.js';

/**
 * Goes back to `wanted`, or to the release before. Only revocation and the floor bar a release that was committed here, and people may let
 * one through that is below the floor.
 *
 * @throws SiteError `ROLLBACK_NONE` it is not kept
 */
export async function runRollback(site: Site, machine: Machine, wanted: Digest | undefined): Promise<SiteResult> {
  const context = contextOf(site, machine);
  await finishInterrupted(context);
  if (waitsForProgram(machine.state())) return trialResult(site, machine.state());
  if (machine.state().phase.at === 'held') return heldResult(site, machine.state());
  const retirement = retirementOf(machine.state());
  if (retirement !== undefined) return retiredResult(site, machine.state(), retirement);
  const before = machine.state();
  const target = targetOf(before, wanted);
  const barred = drainCheck(before) ?? barOf(withOneWayFloor(context.trust(), before), target);
  const exception = barred?.code === 'RELEASE_BELOW_FLOOR' ? await exceptionForRollback(site, machine, target.release) : undefined;
  if (barred !== undefined && exception === undefined)
    return {
      site: site.config.name,
      outcome: 'refused',
      release: target.release,
      previous: before.current?.release ?? null,
      reason: barred.code ?? null,
      checks: [barred],
    };
  const { since: _since, secrets = [], ...slot } = target;
  // what was rotated since was rotated for a reason
  const given = secretsFor(
    before,
    secrets.map(({ name }) => name),
  );
  machine.record({
    is: 'admitted',
    target: { ...slot, ...given, cause: 'rollback', began: momentOf(site.world.clock), ...usedBy(exception) },
  });
  crashPoint('update:admitted');
  const result = await carryOutTarget(context, target.release, []);
  const fetcher = site.world.startFetcher(site.world.signal);
  try {
    await flushQueue(site, machine, fetcher);
  } finally {
    await fetcher.close();
  }
  pruneSlots(site, machine.state());
  return result;
}

function targetOf({ current, kept }: SiteState, wanted: Digest | undefined): Slot {
  const slot = wanted === undefined ? kept[0] : kept.find(({ release }) => release === wanted);
  if (slot !== undefined && slot.release !== current?.release) return slot;
  const names = kept.map(({ name, version, release }) => `${name} ${version} ${release}`).join(', ');
  throw new SiteError(
    'ROLLBACK_NONE',
    `go back to ${wanted ?? 'the release before'}: expected one that is kept, got ${names === '' ? 'none' : names}`,
  );
}
