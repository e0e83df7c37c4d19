/** Committing by hand a release whose probation was cut short. */
import type { Site } from '../site.js';
import { carryOutAll, lookOnce } from './carry-out.js';
import type { Machine } from './machine.js';
import type { SiteResult } from './outcome.js';
import { timeTaken, trustedNow } from './trusted-time.js';
import { contextOf, heldResult } from './update.js';

/** Commits if the release is healthy at this moment; a site that rests is unchanged. */
export async function runCommit(site: Site, machine: Machine): Promise<SiteResult> {
  const context = contextOf(site, machine);
  const { phase, current } = machine.state();
  const rest = { site: site.config.name, previous: current?.release ?? null };
  if (phase.at === 'held') return heldResult(site, machine.state());
  if (phase.at !== 'probation') return { ...rest, outcome: 'unchanged', release: current?.release ?? null, reason: null, checks: [] };
  const { healthy, checks } = await lookOnce(site, phase.target);
  if (!healthy) return { ...rest, outcome: 'deferred', release: phase.target.release, reason: 'HEALTH_FAILED', checks };
  machine.record({
    is: 'committed',
    at: trustedNow(context.trust().time, site.world.clock),
    keep: site.config.keep,
    ...timeTaken(phase.target.began, site.world.clock),
  });
  await carryOutAll(context);
  return { ...rest, outcome: 'installed', release: phase.target.release, reason: null, checks };
}
