/**
 * On probation a release may be watched for days, and the lane has news meanwhile. One is acted on at once: that the release may not run any more. All else waits for the end of
 * the probation: the machine carries one release at a time, and another one is admitted when it rests.
 */
import { type Check, SealaneError } from '@sealane/core';
import { isDiskFull } from '../disk.js';
import type { WatchResult } from '../health/watch.js';
import type { Site } from '../site.js';
import { admitFromMirror } from './admission.js';
import { syncMirror } from './ask-fetch.js';
import { barUnderWay } from './bars.js';
import type { CarryContext } from './carry-out.js';
import { withOneWayFloor } from './one-way.js';
import type { Target } from './state.js';

/** Whether the probation is long enough for news. Where only values of secrets are new the release runs already, and what runs goes on. */
export function listensTo({ config }: Pick<Site, 'config'>, { cause }: Target, sinceSeconds: number): boolean {
  const { startSeconds, probationSeconds } = config.driver;
  const leftSeconds = Math.max(startSeconds, probationSeconds) - sinceSeconds;
  return cause !== 'secrets' && config.upstreams.length > 0 && leftSeconds > config.pollSeconds;
}

/**
 * Watches by `watch`, and polls the lane beside it; a release that is barred meanwhile is not healthy, whatever its probes say. A lane that cannot be reached says nothing.
 *
 * @throws what `watch` throws where it was not ended for that
 */
export async function watchListening(
  context: CarryContext,
  target: Target,
  watch: (signal: AbortSignal) => Promise<WatchResult>,
): Promise<WatchResult> {
  const { signal } = context.site.world;
  const [over, barred] = [new AbortController(), new AbortController()];
  const listening = listen(context, target, AbortSignal.any([signal, over.signal])).finally(() => barred.abort());
  // told by the end that is awaited
  listening.catch(() => undefined);
  // two of us must never write trust, nor the mirror
  const end = async (): Promise<Check | undefined> => {
    over.abort();
    return await listening;
  };
  try {
    const result = await watch(AbortSignal.any([signal, barred.signal]));
    const bar = await end();
    return bar === undefined ? result : { healthy: false, checks: [bar] };
  } catch (error) {
    const bar = await end();
    if (bar === undefined) throw error;
    return { healthy: false, checks: [bar] };
  }
}

/** Polls until `signal` says that it is over (undefined), or the release is barred. */
async function listen(context: CarryContext, target: Target, signal: AbortSignal): Promise<Check | undefined> {
  const { clock } = context.site.world;
  for (;;) {
    try {
      await clock.sleep(context.site.config.pollSeconds * 1000, signal);
      const bar = await heard(context, target, signal);
      if (bar !== undefined) return bar;
    } catch (error) {
      if (signal.aborted) return undefined;
      // whatever keeps news from this site has no say in how its release is doing
      if (!(error instanceof SealaneError) && !isDiskFull(error)) throw error;
      context.site.world.talk(`look for news of ${target.name} ${target.version} on probation: ${error.message}`);
    }
  }
}

/** Trust alone, verified and kept as by any update: content waits, and nothing of it is put down in the journal. */
async function heard({ site, machine, lane, trust, admit }: CarryContext, target: Target, signal: AbortSignal): Promise<Check | undefined> {
  const fetcher = site.world.startListener(signal);
  try {
    const { outcome } = await syncMirror(site, machine, fetcher, null);
    if (outcome === 'failed') return undefined;
    await admitFromMirror(site, machine, lane, [], admit);
  } finally {
    await fetcher.close();
  }
  return barUnderWay(withOneWayFloor(trust(), machine.state()), target);
}
