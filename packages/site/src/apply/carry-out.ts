/**
 * The shell of the machine: carries out one effect after the other until the state rests. Each effect may have been carried out before,
 * wholly or in part, by a process that was killed: doing it again leads to the same place.
 */
import { type Check, ERRORS, hex, SealaneError, SiteError } from '@sealane/core';
import type { Admit } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import type { Site } from '../site.js';
import type { WatchResult } from '../health/watch.js';
import { type LaneFolders } from './lane-view.js';
import { listensTo, watchListening } from './listen.js';
import { measuredLink } from './measured-link.js';
import { type Effect } from './effects.js';
import type { Machine } from './machine.js';
import { COUNTED } from './step.js';
import { applyOneWay, save, settle, withOneWayFloor } from './one-way.js';
import { wipe } from './retirement.js';
import { checkUpdater } from '../self/check-shell.js';
import { layProgram, programToTry } from '../self/lay-program.js';
import { leavesReturn, tryProgram } from '../self/trial.js';
import { runSlot, slotOf, stopWorkload, watchThrough, watchUntilUp } from './slot-watch.js';
import { stageRelease } from './stage-release.js';
import type { Phase, SiteEvent, Target } from './state.js';
import { queueReceipt } from './receipt.js';
import { markTold, permitUnderWay, readStrays, strayCheck } from './strays.js';
import { isOpen } from './windows.js';
import { wayBack } from './way-back.js';
import { momentOf, secondsSince, timeTaken, trustedNow } from './trusted-time.js';
import type { TrustFile } from './trust-file.js';

/** Tries at switching to one release, and at going back from it, before something else is done. */
const MAX_SWITCHES = 3;
const MAX_RETURNS = 5;

/** What an effect may need beside the site. */
export interface CarryContext {
  readonly site: Site;
  readonly machine: Machine;
  readonly trust: () => TrustFile;
  readonly lane: LaneFolders;
  /** Admission that remembers, in a daemon. */
  readonly admit?: Admit;
}

/**
 * Carries out what the state asks for until it asks for nothing, or for another program of the updater to go on.
 *
 * @throws SiteError `INTERRUPTED` by the command's signal: the next command goes on; `DISK_SHORT`; errors of the disk as they are
 */
export async function carryOutAll(context: CarryContext): Promise<void> {
  for (let [effect] = context.machine.effects(); effect !== undefined; [effect] = context.machine.effects()) {
    // what has no way back is begun once its intent is on disk: else it would look like one that was interrupted
    if (context.site.world.signal.aborted && effect.do !== 'apply-one-way') throw interrupted(effect);
    if (waitsForWindow(context)) return;
    const event = await carryOut(context, effect);
    if (event === undefined) return;
    // with the host everything goes down: that says nothing about a release, and the next boot goes on
    if ((event.is === 'unhealthy' || event.is === 'held') && (await context.site.world.isGoingDown())) throw interrupted(effect);
    context.machine.record(event);
    announce(context.machine);
  }
}

/** Makes the receipt that is owed, and nothing else. */
export async function queueOwedReceipt(context: CarryContext): Promise<void> {
  const [effect] = context.machine.effects();
  if (effect?.do === 'queue-receipt') context.machine.record(await queueOwed(context, effect));
}

/** Whether a release is laid down and the window in which it may be switched to is not open. An operator's rollback waits for none. */
export function waitsForWindow(context: CarryContext): boolean {
  const { phase, owed } = context.machine.state();
  if (owed !== null || phase.at !== 'staged' || phase.target.cause === 'rollback') return false;
  return !isOpen(context.site.config.windows, now(context));
}

/** Before anything else after a crash: what was under way counts as one more attempt. */
export function recover({ machine }: Pick<CarryContext, 'machine'>): void {
  const { phase } = machine.state();
  if (phase.at === 'switching') machine.record({ is: 'switching' });
  if (COUNTED.some((at) => at === phase.at)) machine.record({ is: 'retried' });
}

async function carryOut(context: CarryContext, effect: Effect): Promise<SiteEvent | undefined> {
  switch (effect.do) {
    case 'queue-receipt':
      return await queueOwed(context, effect);
    case 'stage':
      return await stage(context, effect.target);
    case 'intend':
      return { is: 'switching' };
    case 'switch':
      return await switchTo(context, effect.target, effect.attempt);
    case 'watch':
      return await watchProbation(context, effect.target);
    case 'save':
      return await saveFirst(context, effect);
    case 'apply-one-way':
      return await applyOneWay(context.site, effect.target, effect.attempt);
    case 'settle':
      return await settle(context.site, effect, () => committed(context, effect.target));
    case 'try-program':
      return await replaceSelf(context, effect.phase);
    case 'go-back':
      return leavesReturn(context.site.world) ? undefined : await goBack(context, effect);
    case 'wipe':
      return await wipe(context.site);
  }
}

async function queueOwed({ site, trust }: CarryContext, effect: Effect & { do: 'queue-receipt' }): Promise<SiteEvent> {
  const { world, folder, config, signer } = site;
  const { event, release } = effect.owed;
  const facts = {
    site: config.name,
    seq: effect.seq,
    prev: effect.prev,
    hardware: await world.collectHardware(),
    variables: config.variables,
    seenCheckpoint: trust().seenCheckpoint,
    salt: hex(world.salt()),
    link: event === 'installed' && release !== null ? measuredLink(world.disk, folder.mirror, release) : undefined,
  };
  const news = readStrays(world.disk, folder.strays).filter(({ isTold }) => !isTold);
  const owed = { ...effect.owed, checks: [...effect.owed.checks, ...news.map(strayCheck)] };
  const digest = await queueReceipt(world.disk, folder.receipts, owed, facts, signer);
  crashPoint('update:receipt-written');
  markTold(world.disk, folder.strays);
  return { is: 'receipt-queued', seq: effect.seq, digest };
}

async function stage(context: CarryContext, target: Target): Promise<SiteEvent> {
  const { site, lane } = context;
  try {
    await stageRelease(site, lane, target.release);
    await permitUnderWay(site, context.machine.state(), now(context));
    await layProgram(site, target.release);
    await site.driver.prepare?.(slotOf(site.folder, target));
    return { is: 'staged' };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    const exit = ERRORS[error.code].exit;
    if (exit !== 3 && exit !== 4) throw error;
    const known = context.machine.state().refused;
    // the same content is still wrong: its receipt is made
    if (known?.code === error.code && known.release === target.release) return { is: 'abandoned', why: error.message };
    const check: Check = {
      id: 'content',
      verdict: 'fail',
      expected: 'every blob of the release, whole and safe to unpack',
      actual: error.message,
      remedy: error.hint ?? ERRORS[error.code].hint,
      evidence: [],
      code: error.code,
    };
    return { is: 'refused', code: error.code, release: target.release, waybill: target.waybill, checks: [check], at: now(context) };
  }
}

async function switchTo(context: CarryContext, target: Target, attempt: number): Promise<SiteEvent> {
  const { site } = context;
  if (attempt > MAX_SWITCHES) return unhealthy(context, [startFailure(`it was interrupted ${MAX_SWITCHES} times`)]);
  try {
    await runSlot(site, target);
    return { is: 'probation', began: momentOf(site.world.clock) };
  } catch (error) {
    if (error instanceof SiteError && error.code === 'HEALTH_FAILED') return unhealthy(context, [startFailure(error.message)]);
    throw error;
  }
}

/** From here on it is counted how long going back takes. */
function unhealthy({ site }: CarryContext, failed: readonly Check[]): SiteEvent {
  for (const { id, expected, actual } of failed) site.world.talk(`${id}: expected ${expected}; got ${actual}`);
  return { is: 'unhealthy', failed, began: momentOf(site.world.clock) };
}

async function watchProbation(context: CarryContext, target: Target): Promise<SiteEvent> {
  const { site, machine } = context;
  const { clock } = site.world;
  const { phase } = machine.state();
  if (phase.at !== 'probation') throw new SiteError('INTERNAL', `watch a release: expected probation, got ${phase.at}`);
  if (phase.began.bootId !== clock.bootId()) return { is: 'switching' };
  const { began } = phase;
  const watch = (signal: AbortSignal): Promise<WatchResult> => watchThrough(site, target, secondsSince(began, clock), signal);
  const result = listensTo(site, target, secondsSince(began, clock))
    ? await watchListening(context, target, watch)
    : await watch(site.world.signal);
  if (!result.healthy) return unhealthy(context, result.checks);
  try {
    await site.driver.confirm?.(slotOf(site.folder, target));
    return await afterHealth(context, target);
  } catch (error) {
    if (error instanceof SiteError && error.code === 'HEALTH_FAILED') return unhealthy(context, [startFailure(error.message)]);
    throw error;
  }
}

/** What comes next for a release that is healthy: parts without a way back, the updater's own, or its place for good. */
export async function afterHealth(context: CarryContext, target: Target): Promise<SiteEvent> {
  if (target.oneWay !== undefined) return { is: 'passed' };
  const slot = await programToTry(context.site, target);
  return slot === undefined ? committed(context, target) : { is: 'passed', slot };
}

/** The new program of the updater; undefined while another one than this is to be started. */
async function replaceSelf(context: CarryContext, phase: Extract<Phase, { at: 'trial' }>): Promise<SiteEvent | undefined> {
  const { site, machine } = context;
  const end = await tryProgram(site, phase, () => checkUpdater(site, machine, phase.target));
  if (end.is === 'waiting') return undefined;
  return end.is === 'passed' ? committed(context, phase.target) : unhealthy(context, end.checks);
}

function committed(context: CarryContext, target: Target): SiteEvent {
  const { world, config } = context.site;
  return { is: 'committed', at: now(context), keep: config.keep, ...timeTaken(target.began, world.clock) };
}

/** Without what was saved nothing is spoilt: the release is taken back as one that is not healthy. */
async function saveFirst(context: CarryContext, { target, attempt }: Effect & { do: 'save' }): Promise<SiteEvent> {
  if (attempt > MAX_SWITCHES) return unhealthy(context, [startFailure(`saving was interrupted ${MAX_SWITCHES} times`)]);
  try {
    return await save(context.site, target);
  } catch (error) {
    if (error instanceof SiteError && error.code === 'ONE_WAY_FAILED') return unhealthy(context, [startFailure(error.message)]);
    throw error;
  }
}

async function goBack(context: CarryContext, { target, attempt, failed }: Effect & { do: 'go-back' }): Promise<SiteEvent> {
  const { site, machine } = context;
  const { world, folder } = site;
  const { phase } = machine.state();
  const { to, barred } = wayBack(machine.state(), target, withOneWayFloor(context.trust(), machine.state()));
  const isBack = (): SiteEvent => {
    const took = timeTaken(phase.at === 'rolling-back' ? phase.began : undefined, world.clock);
    const where = to?.release === machine.state().current?.release ? {} : { to: to?.release ?? null, barred };
    return { is: 'rolled-back', at: now(context), ...took, ...where };
  };
  if (attempt > MAX_RETURNS) return { is: 'held', code: 'ROLLBACK_FAILED', message: `going back was interrupted ${MAX_RETURNS} times` };
  for (const { actual } of barred) world.talk(`not gone back to: ${actual}`);
  if (to === null) {
    if (barred.length > 0) world.talk('nothing that is kept here may run: stopped, until an update brings a release that may');
    await stopWorkload(site);
    world.disk.remove(folder.current);
    return isBack();
  }
  const why = failed.map(({ actual }) => actual).join('; ');
  try {
    await runSlot(site, to);
    const result = await watchUntilUp(site, to);
    if (result.healthy) return isBack();
    return {
      is: 'held',
      code: 'ROLLBACK_FAILED',
      message: `${to.name} ${to.version} did not come up either (${result.checks.map(({ actual }) => actual).join('; ')}) after: ${why}`,
    };
  } catch (error) {
    if (error instanceof SiteError && error.code === 'HEALTH_FAILED')
      return { is: 'held', code: 'ROLLBACK_FAILED', message: `${error.message}, after: ${why}` };
    throw error;
  }
}

function now({ site, trust }: CarryContext): string {
  return trustedNow(trust().time, site.world.clock);
}

function startFailure(actual: string): Check {
  return {
    id: 'health-start',
    verdict: 'fail',
    expected: 'the driver of site.yaml starts the release and keeps it',
    actual,
    remedy: 'read state/logs/workload.log and driver in site.yaml',
    evidence: [],
    code: 'HEALTH_FAILED',
  };
}

function interrupted(effect: Effect): SiteError {
  return new SiteError('INTERRUPTED', `update this site: interrupted before it could ${effect.do}`);
}

function announce(machine: Machine): void {
  const { phase, owed } = machine.state();
  if (phase.at === 'idle' && owed === null) crashPoint('update:receipt-queued');
  if (phase.at !== 'idle' && phase.at !== 'held') crashPoint(`update:${phase.at}`);
}
