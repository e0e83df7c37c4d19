/**
 * The walk of `check` and `update`: recover, ask `fetch`, verify, keep what was learnt, and then act on it or not.
 */
import { type Check, type Digest, type ErrorCode, ERRORS, LIMITS, parseCheckpoint, SiteError } from '@sealane/core';
import { type Admission, parseBundle, readSiteRecord, type SiteRecordPredicate } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import { timestampIn } from '../fetch/brought.js';
import { readMark } from '../fetch/mirror.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import type { SyncJob } from '../fetch/sync.js';
import { renewCertificate } from '../identity/renew.js';
import type { Site } from '../site.js';
import { admitFromMirror, laneOf } from './admission.js';
import { carryOutAll, type CarryContext, isDiskFull, recover, waitsForWindow } from './carry-out.js';
import { takeMail, usedBy } from './exception.js';
import type { Fetcher } from './fetch-shell.js';
import { activeHold } from './hold.js';
import type { Machine } from './machine.js';
import { oneWayParts, oneWayRefusal } from './one-way.js';
import type { Outcome, SiteResult } from './outcome.js';
import { pruneSlots, pruneStore } from './prune.js';
import { keepRendered } from './rendered.js';
import { flushQueue } from './receipt-queue.js';
import { slotOf } from './slot-watch.js';
import type { SiteState } from './state.js';
import { readTrustFile, type TrustFile } from './trust-file.js';
import { momentOf, trustedNow } from './trusted-time.js';
import { nextOpen } from './windows.js';
import { lacksContent } from './whole-content.js';

/** `check` stops before anything is laid down. */
export type UpdateMode = 'check' | 'update';

/** Judgements in one update: a lane has news every few minutes at most, and the next update goes on. */
const MAX_ROUNDS = 64;

/** Runs one check or update. The caller holds the lock. */
export async function runUpdate(site: Site, machine: Machine, mode: UpdateMode): Promise<SiteResult> {
  const before = machine.state();
  const context = contextOf(site, machine);
  if (mode === 'update') await finishInterrupted(context);
  if (machine.state().phase.at === 'held') return heldResult(site, machine.state());
  const fetcher = site.world.startFetcher(site.world.signal);
  try {
    const result = await syncAndJudge(context, fetcher, mode);
    await settle(context, fetcher, mode);
    return result.outcome === 'unchanged' && mode === 'update' ? recovered(result, before, machine.state()) : result;
  } finally {
    await fetcher.close();
  }
}

/**
 * Trust is judged as soon as it is here, and again each time that the lane has news while content is under way, which may be for hours; what is
 * refused needs no content.
 */
async function syncAndJudge(context: CarryContext, fetcher: Fetcher, mode: UpdateMode): Promise<SiteResult> {
  let judged: Digest | null = null;
  for (let rounds = 1; ; rounds += 1) {
    const synced = await syncMirror(context.site, context.machine, fetcher, judged);
    crashPoint('update:fetched');
    const result = await judge(context, synced, mode);
    const mayGoOn = isToJudge(synced) && (result.outcome === 'deferred' || result.outcome === 'unchanged');
    const now = judgedNow(context.site);
    // a `fetch` that is not ours any more could ask for ever
    if (!mayGoOn || now === judged || rounds === MAX_ROUNDS) return result;
    judged = now;
  }
}

/** What stands for the trust that lies in the mirror now. */
export function judgedNow({ world, folder }: Site): Digest | null {
  return timestampIn(world.disk, folder) ?? null;
}

/** What the shell of the machine needs at this site. */
export function contextOf(site: Site, machine: Machine): CarryContext {
  return { site, machine, lane: laneOf(site), trust: () => readTrustFile(site.world.disk, site.folder.trust) };
}

/** Finishes what a killed command left: switches, probations, returns, owed receipts. What was only laid down is judged anew first. */
export async function finishInterrupted(context: CarryContext): Promise<void> {
  const { phase, owed } = context.machine.state();
  if (owed === null && (phase.at === 'admitted' || phase.at === 'staged')) return;
  recover(context);
  await carryOutAll(context);
}

/** Receipts go up, slots that nothing needs go away, and what should run runs. */
async function settle(context: CarryContext, fetcher: Fetcher, mode: UpdateMode): Promise<void> {
  const { site, machine } = context;
  await flushQueue(site, machine, fetcher);
  if (mode === 'check') return;
  await renewCertificate(site, fetcher);
  pruneSlots(site, machine.state());
  await pruneStore(site, machine.state());
  crashPoint('update:pruned');
  await keepRunning(site, machine.state());
}

/** Why a driver could not start what is committed; one of them when site.yaml names another driver since. */
const NOT_STARTED: readonly ErrorCode[] = ['HEALTH_FAILED', 'DRIVER_REFUSED', 'DRIVER_NOT_READY'];

/** After a reboot or a crash of the workload: what is committed runs, unless an operator stopped it. */
export async function keepRunning(site: Site, state: SiteState): Promise<void> {
  const { current, phase, stopped } = state;
  // what was only laid down has not touched it
  if (current === null || stopped || !['idle', 'admitted', 'staged'].includes(phase.at)) return;
  const status = await site.driver.status();
  if (status.is === 'running' || status.is === 'handed-over' || status.is === 'restarting') return;
  site.world.talk(
    `${current.name} ${current.version} was not running (${status.is === 'ended' ? status.how : 'never started'}): started again`,
  );
  try {
    await site.driver.stop();
    await site.driver.start(slotOf(site.folder, current));
  } catch (error) {
    // whatever this command was about has been done; the next one tries again
    if (!(error instanceof SiteError) || !NOT_STARTED.includes(error.code)) throw error;
    site.world.talk(error.message);
  }
}

/** Asks `fetch` to bring the mirror up to date. Without upstreams there is nothing to ask: media are all. */
export async function syncMirror(site: Site, machine: Machine, fetcher: Fetcher, judged: Digest | null): Promise<SyncAnswer> {
  const { world, folder, config } = site;
  const trust = readTrustFile(world.disk, folder.trust);
  if (config.upstreams.length === 0)
    return { outcome: 'unchanged', code: null, message: '', upstream: null, requests: 0, bytes: 0, fetched: 0, kept: 0 };
  const refused = machine.state().refused?.code;
  // bytes or tiles were wrong: what is in the mirror is not taken for granted
  const recheck = refused !== undefined && /^(?:CONTENT|LOG)_/.test(refused);
  return await fetcher.sync({
    do: 'sync',
    places: config.upstreams,
    pollSeconds: config.pollSeconds,
    mirror: folder.mirror,
    offer: folder.offer,
    job: { ...syncJob(site, trust), recheck, judged },
  });
}

/** Whether a sync ended because what it brought is to be judged before content is. */
export function isToJudge({ outcome, code }: SyncAnswer): boolean {
  return outcome === 'partial' && code === null;
}

/** What this site wants of a lane over a network. */
export function syncJob(site: Site, trust: TrustFile): SyncJob {
  return {
    stage: site.config.stage,
    site: site.config.name,
    labels: recordOf(site)?.labels ?? null,
    tuf: trust.tuf,
    now: trustedNow(trust.time, site.world.clock),
    expiry: 'network',
    seenSize: trust.seenCheckpoint === null ? 0 : parseCheckpoint(trust.seenCheckpoint).size,
    recheck: false,
    judged: null,
  };
}

/** The record of this site, not verified here: for what to fetch, not for what to install. */
function recordOf({ world, folder }: Site): SiteRecordPredicate | undefined {
  const bytes = world.disk.read(folder.record, LIMITS.bundleBytes);
  return bytes === undefined ? undefined : readSiteRecord(parseBundle(bytes).statement);
}

/** Verifies the mirror and acts. */
async function judge(context: CarryContext, synced: SyncAnswer, mode: UpdateMode): Promise<SiteResult> {
  const { site, machine, lane } = context;
  const unreachable = synced.outcome === 'failed';
  if (synced.code !== null) site.world.talk(`fetch: ${synced.message} (${synced.code})`);
  if (unreachable && lane.locate('trust/metadata/timestamp.json') === undefined) return notReached(context, synced, []);
  const admission = await admitFromMirror(site, machine, lane);
  if (mode === 'update') await takeMail(site, machine, admission.mail ?? []);
  switch (admission.outcome) {
    case 'refused':
      if (isUnfinished(site, synced) && !isDecided(admission))
        return { ...notReached(context, synced, admission.checks), release: admission.release };
      if (admission.reason !== 'TRUST_EXPIRED') return await refuse(context, admission);
      if (mode === 'update' && mayGoOn(context)) return await carryOutAdmitted(context, admission);
      return unreachable ? notReached(context, synced, admission.checks) : await refuse(context, admission);
    case 'deferred':
      return resultOf(site, machine.state(), 'deferred', admission);
    case 'unchanged':
      accept(machine, admission);
      return unreachable ? notReached(context, synced, admission.checks) : resultOf(site, machine.state(), 'unchanged', admission);
    case 'admitted':
      if (isUnfinished(site, synced) && lacksContent(site, lane, admission.release)) {
        accept(machine, admission);
        return { ...notReached(context, synced, admission.checks), release: admission.release };
      }
      return await actOn(context, admission, mode);
  }
}

/** Whether content that is not here may still come: then it is waited for, and nobody is blamed. */
function isUnfinished({ world, folder }: Site, { outcome }: SyncAnswer): boolean {
  if (outcome !== 'failed' && outcome !== 'partial') return false;
  return readMark(world.disk, folder.mirror)?.timestamp !== timestampIn(world.disk, folder);
}

/** Checks that trust and log alone decide, in the order of admission: all others need content. */
const BY_TRUST: readonly string[] = ['trust', 'log', 'site', 'fence', 'channel', 'revoked', 'stale', 'held'];

function isDecided({ checks }: Admission): boolean {
  return BY_TRUST.includes(checks.at(-1)?.id ?? '');
}

/** What may run here is laid down, unless it has a part that this site cannot take. */
async function actOn(context: CarryContext, admission: Admission, mode: UpdateMode): Promise<SiteResult> {
  const { site, machine } = context;
  const refusal = oneWayRefusal(site, admission);
  if (refusal !== undefined)
    return await refuse(context, { ...admission, reason: 'RELEASE_IRREVERSIBLE', checks: [...admission.checks, refusal] });
  accept(machine, admission);
  return mode === 'check' ? resultOf(site, machine.state(), 'available', admission) : await install(context, admission);
}

/**
 * What was refused is no more: the next refusal is a new one. Content that was refused is judged only when it is copied again. A release that was laid
 * down and is not wanted any more is dropped.
 */
function accept(machine: Machine, admission: Admission): void {
  const { refused, phase } = machine.state();
  const isContent = refused?.code.startsWith('CONTENT_') === true;
  if (refused !== null && (admission.outcome === 'unchanged' || !isContent)) machine.record({ is: 'accepted' });
  if (admission.outcome === 'unchanged' && (phase.at === 'admitted' || phase.at === 'staged'))
    machine.record({ is: 'abandoned', why: 'it is not wanted any more' });
}

/** Expiry stops new installs, not one that was admitted before it (DESIGN "Time"): who freezes the lane must not stop what is half done. */
function mayGoOn({ site, machine, trust }: CarryContext): boolean {
  const { phase, hold } = machine.state();
  return (phase.at === 'admitted' || phase.at === 'staged') && activeHold(hold, trustedNow(trust().time, site.world.clock)) === null;
}

async function carryOutAdmitted(context: CarryContext, { checks }: Admission): Promise<SiteResult> {
  const { phase } = context.machine.state();
  if (phase.at !== 'admitted' && phase.at !== 'staged')
    throw new SiteError('INTERNAL', `go on with an install: expected one that was admitted, got ${phase.at}`);
  return await carryOutTarget(context, phase.target.release, checks);
}

async function refuse(context: CarryContext, admission: Admission): Promise<SiteResult> {
  const { site, machine } = context;
  const code: ErrorCode = admission.reason ?? 'INTERNAL';
  const { release, waybill, checks } = admission;
  const { refused: known, phase, owed } = machine.state();
  const mayRecord = owed === null && ['idle', 'admitted', 'staged'].includes(phase.at);
  // one receipt for one refusal, however often it is offered again; a check beside an unfinished update leaves the word to that
  const isNew = known?.code !== code || known.release !== release || known.waybill !== waybill;
  if (isNew && mayRecord) {
    const at = trustedNow(context.trust().time, site.world.clock);
    machine.record({ is: 'refused', code, release, waybill, checks: checks.filter(({ verdict }) => verdict !== 'pass'), at });
    await carryOutAll(context);
  }
  return resultOf(site, machine.state(), 'refused', admission);
}

async function install(context: CarryContext, admission: Admission): Promise<SiteResult> {
  const { site, machine } = context;
  const { release, waybill, decision, releaseDoc, variables, exception } = admission;
  if (release === null || waybill === null || decision === null || releaseDoc === null)
    throw new SiteError('INTERNAL', 'install a release: expected what was admitted, got nothing');
  const { name, version } = releaseDoc;
  const rendered = variables === null ? {} : { rendered: keepRendered(site.world.disk, site.folder, variables) };
  const parts = oneWayParts(admission);
  const slot = {
    release,
    waybill,
    counter: decision.counter,
    name,
    version,
    ...rendered,
    ...(parts.length === 0 ? {} : { oneWay: parts }),
  };
  machine.record({ is: 'admitted', target: { ...slot, cause: 'update', began: momentOf(site.world.clock), ...usedBy(exception) } });
  crashPoint('update:admitted');
  return await carryOutTarget(context, release, admission.checks);
}

/** Carries a target through to its end and says which one it was. */
export async function carryOutTarget(context: CarryContext, release: Digest, checks: readonly Check[]): Promise<SiteResult> {
  const { site, machine } = context;
  const before = machine.state();
  try {
    await carryOutAll(context);
  } catch (error) {
    const lack = lackOf(error);
    const { phase } = machine.state();
    if (lack === undefined || (phase.at !== 'admitted' && phase.at !== 'staged')) throw error;
    machine.record({ is: 'abandoned', why: lack.expected });
    return { ...base(site, before), outcome: 'deferred', release, reason: lack.code, checks: [...checks, lack] };
  }
  if (waitsForWindow(context))
    return { ...base(site, before), outcome: 'deferred', release, reason: 'WINDOW_CLOSED', checks: [...checks, windowCheck(context)] };
  return ended(site, before, machine.state(), release, checks);
}

function windowCheck({ site, trust }: CarryContext): Check {
  const { windows } = site.config;
  const time = trustedNow(trust().time, site.world.clock);
  const opens = windows === undefined ? null : nextOpen(windows, time);
  return {
    id: 'window',
    verdict: 'pending',
    expected: `an open window of site.yaml (${windows?.timeZone ?? ''})`,
    actual: `none at ${time}; the release is laid down`,
    remedy: opens === null ? 'name a window that opens in site.yaml' : `it is switched to by the first update from ${opens} on`,
    evidence: [],
    code: 'WINDOW_CLOSED',
  };
}

/** What the state says about a target that was under way. */
function ended(site: Site, before: SiteState, after: SiteState, release: Digest, checks: readonly Check[]): SiteResult {
  const rest = { ...base(site, before), release };
  if (after.phase.at === 'held') {
    const held = heldResult(site, after);
    return { ...held, checks: [...checks, ...held.checks] };
  }
  if (after.refused?.release === release)
    return { ...rest, outcome: 'refused', reason: after.refused.code, checks: [...checks, ...after.refused.checks] };
  if (after.current?.release === release) return { ...rest, outcome: 'installed', reason: null, checks };
  return { ...rest, outcome: 'rolled-back', reason: 'HEALTH_FAILED', checks };
}

/** When all there was to do was to finish what an earlier command began, that is the answer. */
function recovered(result: SiteResult, before: SiteState, after: SiteState): SiteResult {
  const target = 'target' in before.phase ? before.phase.target : null;
  if (target === null) return result;
  const previous = before.current?.release ?? null;
  if (target.release === after.current?.release)
    return { ...result, outcome: 'installed', release: target.release, previous, reason: null };
  if (!after.denied.some(({ release }) => release === target.release)) return result;
  return { ...result, outcome: 'rolled-back', release: target.release, previous, reason: 'HEALTH_FAILED' };
}

/** The answer when a site waits for a person. */
export function heldResult(site: Site, state: SiteState): SiteResult {
  const { phase } = state;
  const [reason, message, release] =
    phase.at === 'held' ? [phase.code, phase.message, phase.target?.release ?? null] : (['STATE_CORRUPT', '', null] as const);
  const check: Check = {
    id: 'state',
    verdict: 'fail',
    expected: 'a site that needs nobody',
    actual: message,
    remedy: 'mend the host, then: sealane-site unhold',
    evidence: [],
    code: reason,
  };
  return { ...base(site, state), outcome: 'held', release, reason, checks: [check] };
}

function notReached({ site, machine }: CarryContext, synced: SyncAnswer, checks: readonly Check[]): SiteResult {
  const reason = lackOfLink(synced);
  const check: Check = {
    id: 'fetch',
    verdict: 'pending',
    expected: 'an upstream that brings all that the lane has for this site',
    actual: synced.message,
    remedy: ERRORS[reason].hint,
    evidence: [],
    code: reason,
  };
  return { ...base(site, machine.state()), outcome: 'deferred', release: null, reason, checks: [...checks, check] };
}

/** What is said of a sync that did not bring all. Content that waits for a judgement is missing for now, and no failure. */
function lackOfLink({ outcome, code }: SyncAnswer): ErrorCode {
  if (outcome === 'partial' && code === null) return 'CONTENT_MISSING';
  return code === 'DISK_SHORT' || code === 'BUDGET_SPENT' || code === 'FETCH_TOO_SLOW' ? code : 'FETCH_FAILED';
}

function resultOf(site: Site, state: SiteState, outcome: Outcome, { release, reason, checks }: Admission): SiteResult {
  return { ...base(site, state), outcome, release, reason, checks };
}

function base(site: Site, state: SiteState): Pick<SiteResult, 'site' | 'previous'> {
  return { site: site.config.name, previous: state.current?.release ?? null };
}

/** What the host lacks for now, if that is why a release could not be laid down; the next update tries again. */
function lackOf(error: unknown): (Check & { readonly code: ErrorCode }) | undefined {
  const actual = error instanceof Error ? error.message : String(error);
  const lack = { verdict: 'pending', actual, evidence: [] } as const;
  if (isDiskFull(error) || (error instanceof SiteError && error.code === 'DISK_SHORT')) {
    const expected = 'room for the release beside the one that runs';
    return { ...lack, id: 'disk', expected, remedy: 'free disk: sealane-site gc', code: 'DISK_SHORT' };
  }
  if (!(error instanceof SiteError) || error.code !== 'DRIVER_NOT_READY') return undefined;
  return { ...lack, id: 'driver', expected: 'an engine that takes the release in', remedy: ERRORS.DRIVER_NOT_READY.hint, code: error.code };
}
