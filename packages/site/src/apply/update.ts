/**
 * The walk of `check` and `update`: recover, ask `fetch`, verify, keep what was learnt, and then act on it or not.
 */
import { type Check, type Digest, type ErrorCode, SiteError } from '@sealane/core';
import type { Admission, Admit } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import { cutWorkloadLog } from '../drivers/workload-log.js';
import { timestampIn } from '../fetch/brought.js';
import { readMark } from '../fetch/mirror.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import { renewCertificate } from '../identity/renew.js';
import type { Site } from '../site.js';
import { admitFromMirror, laneOf } from './admission.js';
import { ended, heldResult, lackOf, notReached, recovered, resultOf, trialResult, windowCheck } from './answers.js';
import { isToJudge, judgedNow, MAX_ROUNDS, syncMirror } from './ask-fetch.js';
import { barUnderWay } from './bars.js';
import { carryOutAll, type CarryContext, recover, waitsForWindow } from './carry-out.js';
import { followDrain } from './drain.js';
import { takeMail, usedBy } from './exception.js';
import type { Fetcher } from './fetch-shell.js';
import { activeHold } from './hold.js';
import type { Machine } from './machine.js';
import { oneWayParts, oneWayRefusal, withOneWayFloor } from './one-way.js';
import { keepRunning } from './keep-running.js';
import { base, type SiteResult } from './outcome.js';
import { pruneSlots, pruneStore } from './prune.js';
import { keepRendered } from './rendered.js';
import { boundQueue } from './receipt-bound.js';
import { flushQueue } from './receipt-flush.js';
import { retiredResult, retirementOf, retirementSent } from './retirement.js';
import { rotationDue, secretsFor } from './secret-versions.js';
import { waitsForProgram } from '../self/trial.js';
import { takeSecrets } from './take-secrets.js';
import { watchStrays } from './strays.js';
import type { SiteState } from './state.js';
import { readTrustFile } from './trust-file.js';
import { momentOf, trustedNow } from './trusted-time.js';
import { lacksContent } from './whole-content.js';

/** `check` stops before anything is laid down. */
export type UpdateMode = 'check' | 'update';

/** Runs one check or update. The caller holds the lock. A daemon's `admit` remembers the last answer. */
export async function runUpdate(site: Site, machine: Machine, mode: UpdateMode, admit?: Admit): Promise<SiteResult> {
  const before = machine.state();
  const context = { ...contextOf(site, machine), ...(admit === undefined ? {} : { admit }) };
  if (mode === 'update') {
    cutWorkloadLog({ disk: site.world.disk, stateFolder: site.folder.root });
    await finishInterrupted(context);
  }
  if (mode === 'update' && waitsForProgram(machine.state())) return trialResult(site, machine.state());
  // before anything is waited for: content may be on its way for hours, and who fetches may never answer
  const looked = machine.state();
  if (mode === 'update') await keepRunning(site, looked);
  // one that waits for a person hears at least that it is retired
  if (mode === 'check' && machine.state().phase.at === 'held') return heldResult(site, machine.state());
  const fetcher = site.world.startFetcher(site.world.signal);
  try {
    const result = retiredAlready(context) ?? (await syncAndJudge(context, fetcher, mode));
    await settle(context, fetcher, mode, looked);
    return result.outcome === 'unchanged' && mode === 'update' ? recovered(result, before, machine.state()) : result;
  } finally {
    await fetcher.close();
  }
}

function retiredAlready({ site, machine }: CarryContext): SiteResult | undefined {
  const retirement = retirementOf(machine.state());
  return retirement === undefined ? undefined : retiredResult(site, machine.state(), retirement);
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
    if (!mayGoOn || now === judged || rounds === MAX_ROUNDS) return result;
    judged = now;
  }
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

/** Receipts go up, slots that nothing needs go away, and what should run runs; `looked` is the state in which that was seen to. */
async function settle(context: CarryContext, fetcher: Fetcher, mode: UpdateMode, looked: SiteState): Promise<void> {
  const { site, machine } = context;
  await flushQueue(site, machine, fetcher);
  await boundQueue(context);
  if (mode === 'check') return;
  await renewCertificate(site, fetcher);
  pruneSlots(site, machine.state());
  await pruneStore(site, machine.state());
  crashPoint('update:pruned');
  // where nothing happened it was looked after already: to ask an engine costs more than all else of a poll
  if (machine.state() !== looked) await keepRunning(site, machine.state());
  await watchStrays(site, machine.state(), trustedNow(context.trust().time, site.world.clock));
}

/** Takes in what waits for this site; a release that only lacked a secret is judged again with it. */
async function withMail({ site, machine, lane }: CarryContext, admission: Admission, mode: UpdateMode): Promise<Admission> {
  const { exceptions = [], secrets = [] } = admission.mail ?? {};
  if (mode === 'update') await takeMail(site, machine, exceptions);
  const arrived = await takeSecrets(site, machine, secrets, mode);
  return admission.reason === 'SECRET_MISSING' && arrived.length > 0 ? await admitFromMirror(site, machine, lane, arrived) : admission;
}

/** Verifies the mirror and acts. */
async function judge(context: CarryContext, synced: SyncAnswer, mode: UpdateMode): Promise<SiteResult> {
  const { site, machine, lane, admit } = context;
  const unreachable = synced.outcome === 'failed';
  if (synced.code !== null) site.world.talk(`fetch: ${synced.message} (${synced.code})`);
  const held = (): SiteResult | undefined => (machine.state().phase.at === 'held' ? heldResult(site, machine.state()) : undefined);
  if (unreachable && lane.locate('trust/metadata/timestamp.json') === undefined) return held() ?? notReached(context, synced, []);
  const judged = await admitFromMirror(site, machine, lane, [], admit);
  const retired = await takeRetirement(context, judged, mode);
  if (retired !== undefined) return retired;
  // one that waits for a person is taken out for maintenance as any other
  if (mode === 'update') await followDrain(site, machine, judged);
  if (held() !== undefined) return heldResult(site, machine.state());
  const admission = await withMail(context, judged, mode);
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
      if (mode === 'update' && mayRotate(context)) return await rotate(context, admission);
      return unreachable ? notReached(context, synced, admission.checks) : resultOf(site, machine.state(), 'unchanged', admission);
    case 'admitted':
      if (isUnfinished(site, synced) && lacksContent(site, lane, admission.release)) {
        accept(machine, admission);
        return { ...notReached(context, synced, admission.checks), release: admission.release };
      }
      return await actOn(context, admission, mode);
  }
}

/** The end, if the registrar sent it: from the first word in the journal on there is no way back. `check` says it only. */
async function takeRetirement(context: CarryContext, { mail }: Admission, mode: UpdateMode): Promise<SiteResult | undefined> {
  const { site, machine, trust } = context;
  const retirement = mail?.retirement === undefined ? undefined : await retirementSent(site, machine, mail.retirement);
  if (retirement === undefined) return undefined;
  const result = retiredResult(site, machine.state(), retirement);
  if (mode === 'check') return result;
  site.world.talk(`the registrar retired this site: ${retirement.reason}`);
  machine.record({ is: 'retiring', retirement, at: trustedNow(trust().time, site.world.clock) });
  crashPoint('update:retirement-taken');
  await carryOutAll(context);
  return result;
}

/** Whether content that is not here may still come: then it is waited for, and nobody is blamed. */
function isUnfinished({ world, folder }: Site, { outcome }: SyncAnswer): boolean {
  if (outcome !== 'failed' && outcome !== 'partial') return false;
  return readMark(world.disk, folder.mirror)?.timestamp !== timestampIn(world.disk, folder);
}

/** Checks that trust and log alone decide, in the order of admission: all others need content. */
const BY_TRUST: readonly string[] = ['trust', 'log', 'site', 'drain', 'fence', 'channel', 'revoked', 'stale', 'held'];

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
 * What was refused is no more: the next refusal is a new one. Content that was refused, here or by the driver, is judged only when it is laid down again. A release that was laid
 * down and is not wanted any more is dropped.
 */
function accept(machine: Machine, admission: Admission): void {
  const { refused, phase } = machine.state();
  const isOfLayingDown = refused?.code.startsWith('CONTENT_') === true || refused?.code === 'DRIVER_REFUSED';
  if (refused !== null && (admission.outcome === 'unchanged' || !isOfLayingDown)) machine.record({ is: 'accepted' });
  if (admission.outcome === 'unchanged' && (phase.at === 'admitted' || phase.at === 'staged'))
    machine.record({ is: 'abandoned', why: 'it is not wanted any more' });
}

/**
 * Expiry stops new installs, not one that was admitted before it (DESIGN "Time"): who freezes the lane must not stop what is half done. What was heard against it since
 * does, though a kill came before it was given up for that.
 */
function mayGoOn({ site, machine, trust }: CarryContext): boolean {
  const { phase, hold, drained } = machine.state();
  if ((phase.at !== 'admitted' && phase.at !== 'staged') || drained !== null) return false;
  if (barUnderWay(withOneWayFloor(trust(), machine.state()), phase.target) !== undefined) return false;
  return activeHold(hold, trustedNow(trust().time, site.world.clock)) === null;
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

/** Whether the release that runs is to be given other values of its secrets now. */
function mayRotate({ site, machine, trust }: CarryContext): boolean {
  const { phase, owed, hold, stopped, drained } = machine.state();
  const isFree = phase.at === 'idle' && owed === null && !stopped && drained === null;
  return isFree && activeHold(hold, trustedNow(trust().time, site.world.clock)) === null && rotationDue(machine.state()) !== undefined;
}

/** By the same way as an update, watched like one; the release stays the one that it is. */
async function rotate(context: CarryContext, admission: Admission): Promise<SiteResult> {
  const { site, machine } = context;
  const { current } = machine.state();
  const secrets = rotationDue(machine.state());
  if (current === null || secrets === undefined)
    throw new SiteError('INTERNAL', 'rotate secrets: expected a release that needs other values');
  const { since: _since, ...slot } = current;
  machine.record({ is: 'admitted', target: { ...slot, secrets, cause: 'secrets', began: momentOf(site.world.clock) } });
  crashPoint('update:admitted');
  return await carryOutTarget(context, current.release, admission.checks);
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
    ...secretsFor(machine.state(), releaseDoc.secrets),
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
  if (waitsForProgram(machine.state())) return { ...trialResult(site, machine.state(), checks), ...base(site, before) };
  if (waitsForWindow(context))
    return { ...base(site, before), outcome: 'deferred', release, reason: 'WINDOW_CLOSED', checks: [...checks, windowCheck(context)] };
  return ended(site, before, machine.state(), release, checks);
}
