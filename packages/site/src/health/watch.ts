/**
 * Probation: every check passes within the time for starting, and none fails too many times in a row from then on until the probation is over.
 * WAN, upstream and receipts have no say: a site that is cut off commits.
 */
import { type Check, counted } from '@sealane/core';
import type { Clock } from '../clock.js';
import type { WorkloadStatus } from '../drivers/driver.js';

/** How long a release may take to start, how long it is watched, how often it is asked, and how often it may say no. */
export interface WatchPlan {
  readonly startSeconds: number;
  readonly probationSeconds: number;
  readonly intervalMs: number;
  /** Rounds in a row with a check that fails, after the start, that make it unhealthy; from 1 on. */
  readonly failures: number;
}

/** An engine may start a workload again while what it needs comes up; more is a crash loop. */
const MAX_RESTARTS = 3;

/** What watching looks at: the process, and the answers of all probes at this moment. */
export interface Watched {
  status(): Promise<WorkloadStatus>;
  ask(): Promise<readonly Check[]>;
}

/** How it went. `checks` are the last answers; of an unhealthy one, those that did not pass. */
export type WatchResult = { readonly healthy: boolean; readonly checks: readonly Check[] };

/**
 * Watches a release that was started `usedSeconds` ago (more than 0 when a watch goes on after a crash of the updater). While a check fails the probation is
 * not over; a process that has ended is not waited for.
 *
 * @throws the reason of `signal` when it aborts; the release is left as it is
 */
export async function watch(
  watched: Watched,
  plan: WatchPlan,
  usedSeconds: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<WatchResult> {
  const began = clock.uptimeSeconds() - usedSeconds;
  const first = await untilHealthy(watched, plan, began, clock, signal);
  if (!first.healthy) return first;
  let last = first;
  for (let failed = 0; failed > 0 || clock.uptimeSeconds() - began < plan.probationSeconds;) {
    await clock.sleep(plan.intervalMs, signal);
    last = await look(watched, signal);
    failed = last.healthy ? 0 : failed + 1;
    if (failed >= plan.failures || (failed > 0 && (await watched.status()).is === 'ended')) return last;
  }
  return last;
}

/** The start alone: passes as soon as every check passes once. What a release that comes back after a rollback must do. */
export async function watchStart(watched: Watched, plan: WatchPlan, clock: Clock, signal: AbortSignal): Promise<WatchResult> {
  return await untilHealthy(watched, plan, clock.uptimeSeconds(), clock, signal);
}

async function untilHealthy(watched: Watched, plan: WatchPlan, began: number, clock: Clock, signal: AbortSignal): Promise<WatchResult> {
  for (;;) {
    signal.throwIfAborted();
    const seen = await look(watched, signal);
    const isLate = clock.uptimeSeconds() - began >= plan.startSeconds;
    if (seen.healthy || isLate || (await watched.status()).is === 'ended') return seen;
    await clock.sleep(plan.intervalMs, signal);
  }
}

/**
 * All answers at this moment.
 *
 * @throws the reason of `signal` when it aborts: a probe that was broken off says nothing about the release
 */
export async function look(watched: Watched, signal: AbortSignal): Promise<WatchResult> {
  const answers = await watched.ask();
  signal.throwIfAborted();
  // asked after the probes: a process that died under them must not pass
  const checks = [processCheck(await watched.status()), ...answers];
  const failed = checks.filter(({ verdict }) => verdict !== 'pass');
  return failed.length === 0 ? { healthy: true, checks } : { healthy: false, checks: failed };
}

function processCheck(status: WorkloadStatus): Check {
  const problem = problemOf(status);
  return {
    id: 'health-process',
    verdict: problem === undefined ? 'pass' : 'fail',
    expected: 'what was started runs',
    actual: problem ?? 'it does',
    remedy: problem === undefined ? '' : 'read state/logs/workload.log; a start command that ends by itself needs a configured stop',
    evidence: [],
    ...(problem === undefined ? {} : { code: 'HEALTH_FAILED' as const }),
  };
}

function problemOf(status: WorkloadStatus): string | undefined {
  switch (status.is) {
    case 'running':
      return (status.restarts ?? 0) > MAX_RESTARTS ? `it was started again ${counted(status.restarts ?? 0, 'time')}` : undefined;
    case 'handed-over':
      return undefined;
    case 'restarting':
    case 'ended':
      return status.how;
    case 'none':
      return 'nothing was started';
  }
}
