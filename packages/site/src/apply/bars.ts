/** What bars a release that this site admitted before, now or long ago: that it was revoked since, and the floor. Pure. */
import type { Check } from '@sealane/core';
import type { Slot, Target } from './state.js';
import type { TrustFile } from './trust-file.js';

type Barred = Pick<Slot, 'release' | 'name' | 'version' | 'counter'>;

/** The failed check that bars a release, if one does. `bars` are null where nothing was verified yet. */
export function barOf({ bars, floor, revoked }: Pick<TrustFile, 'bars' | 'floor' | 'revoked'>, target: Barred): Check | undefined {
  const isRevoked = bars?.revoked.includes(target.release) === true || revoked.releases.some(({ release }) => release === target.release);
  const lowest = Math.max(bars?.counter ?? 0, floor.counter, revoked.floor?.counter ?? 0);
  if (isRevoked) return bar('revoked', 'RELEASE_REVOKED', 'a release that is not revoked', `${target.name} ${target.version} is revoked`);
  if (target.counter < lowest)
    return bar('floor', 'RELEASE_BELOW_FLOOR', `a counter of at least ${lowest}`, `${target.name} ${target.version} has ${target.counter}`);
  return undefined;
}

/** The same of one that is on its way in: people may have let one go back below the floor. */
export function barUnderWay(trust: Pick<TrustFile, 'bars' | 'floor' | 'revoked'>, target: Target): Check | undefined {
  const found = barOf(trust, target);
  return found?.code === 'RELEASE_BELOW_FLOOR' && target.cause === 'rollback' ? undefined : found;
}

function bar(id: string, code: 'RELEASE_REVOKED' | 'RELEASE_BELOW_FLOOR', expected: string, actual: string): Check {
  return { id, verdict: 'fail', expected, actual, remedy: 'promote a release that may run here', evidence: [], code };
}
