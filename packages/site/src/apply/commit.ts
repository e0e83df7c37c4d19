/** Committing by hand a release whose probation was cut short, or whose parts without a way back a person has seen to. */
import type { Site } from '../site.js';
import type { Machine } from './machine.js';
import { afterHealth } from './carry-out.js';
import type { SiteResult } from './outcome.js';
import { lookOnce } from './slot-watch.js';
import type { Phase, Target } from './state.js';
import { timeTaken, trustedNow } from './trusted-time.js';
import { heldResult } from './answers.js';
import { carryOutTarget, contextOf } from './update.js';

/** Commits if the release is healthy at this moment; a site that rests is unchanged. */
export async function runCommit(site: Site, machine: Machine): Promise<SiteResult> {
  const context = contextOf(site, machine);
  const { phase, current } = machine.state();
  const rest = { site: site.config.name, previous: current?.release ?? null };
  const target = committable(phase);
  if (target === undefined)
    return phase.at === 'held'
      ? heldResult(site, machine.state())
      : { ...rest, outcome: 'unchanged', release: current?.release ?? null, reason: null, checks: [] };
  const { healthy, checks } = await lookOnce(site, target);
  if (!healthy) return { ...rest, outcome: 'deferred', release: target.release, reason: 'HEALTH_FAILED', checks };
  if (phase.at === 'probation') machine.record(await afterHealth(context, target));
  else
    machine.record({
      is: 'committed',
      at: trustedNow(context.trust().time, site.world.clock),
      keep: site.config.keep,
      ...timeTaken(target.began, site.world.clock),
    });
  return await carryOutTarget(context, target.release, checks);
}

function committable(phase: Phase): Target | undefined {
  if (phase.at === 'probation') return phase.target;
  return phase.at === 'held' && phase.code === 'ONE_WAY_FAILED' && phase.target !== null ? phase.target : undefined;
}
