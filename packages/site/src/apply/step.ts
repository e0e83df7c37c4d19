/** The machine: `step(state, event)` gives the next state and what is to be done in it. Pure; every transition is in this file. */
import { type Digest, SiteError } from '@sealane/core';
import { type Effect, effectsOf } from './effects.js';
import { highestOf, keptSecrets, newSecrets } from './secret-versions.js';
import {
  INITIAL_STATE,
  type Moment,
  type OwedReceipt,
  type Phase,
  type SiteEvent,
  type SiteState,
  type Slot,
  type Target,
} from './state.js';

/** Denied and committed releases that are remembered; older ones have long left every channel (32 rollback choices). */
const MAX_REMEMBERED = 256;

/** Phases in which a crash or a reboot is counted by `retried`; in `switching` and `probation` it is by `switching`. */
export const COUNTED = ['saving', 'one-way', 'settling', 'trial', 'rolling-back'] as const;

/** Exceptions that wait to be used, and nonces of used ones: each took people of policy to sign, and none holds longer than a year. */
const MAX_TAKEN = 16;
const MAX_SPENT = 4096;

/**
 * Takes one event.
 *
 * @throws SiteError `STATE_CORRUPT` the event cannot happen in this state: the journal and the program disagree, so nothing goes on
 */
export function step(state: SiteState, event: SiteEvent): { readonly state: SiteState; readonly effects: readonly Effect[] } {
  const next = transition(state, event);
  return { state: next, effects: effectsOf(next) };
}

/** Folds events without caring for effects: what recovery does with a journal. */
export function fold(state: SiteState, events: readonly SiteEvent[]): SiteState {
  return events.reduce(transition, state);
}

function transition(state: SiteState, event: SiteEvent): SiteState {
  switch (event.is) {
    case 'admitted':
      return { ...spend(state, event.target), phase: { at: 'admitted', target: fresh(state, event.target) } };
    case 'staged':
      return { ...state, phase: { at: 'staged', target: within(state, event, 'admitted').target }, refused: null };
    case 'abandoned':
      return abandon(state, event);
    case 'switching':
      return { ...state, phase: switching(state, event) };
    case 'probation':
      return { ...state, phase: { ...within(state, event, 'switching'), at: 'probation', began: event.began } };
    case 'passed':
      return { ...state, phase: passed(state, event) };
    case 'saved':
      return beyondReturn(state, event);
    case 'applied':
      return { ...state, phase: { at: 'settling', target: within(state, event, 'one-way').target, attempt: 1 } };
    case 'committed':
      return commit(state, event);
    case 'unhealthy':
      return { ...state, phase: rollingBack(state, event) };
    case 'rolled-back':
      return rolledBack(state, event);
    case 'held':
      return { ...state, phase: { at: 'held', code: event.code, message: event.message, target: targetOf(state.phase) } };
    case 'retried':
      return { ...state, phase: retried(state, event) };
    case 'retiring':
      return retire(state, event);
    case 'wiped':
      return { ...INITIAL_STATE, receipts: state.receipts, phase: { ...within(state, event, 'retiring'), at: 'retired' } };
    case 'enrolled':
      within(state, event, 'retired');
      return INITIAL_STATE;
    default:
      return note(state, event);
  }
}

/** Whatever waits or was laid down is given up; what is under way is carried to its end first. */
function retire(state: SiteState, event: SiteEvent & { readonly is: 'retiring' }): SiteState {
  if (state.owed !== null || !['idle', 'admitted', 'staged', 'held'].includes(state.phase.at)) throw impossible(state, event);
  const owed: OwedReceipt = {
    event: 'retired',
    release: null,
    waybill: null,
    previous: state.current?.release ?? null,
    reason: 'SITE_RETIRED',
    checks: [],
    at: event.at,
  };
  return { ...state, phase: { at: 'retiring', retirement: event.retirement }, owed };
}

/** Events that leave the phase alone, but for the receipt that ends it. */
function note(state: SiteState, event: SiteEvent): SiteState {
  switch (event.is) {
    case 'refused':
      return refuse(state, event);
    case 'accepted':
      return { ...state, refused: null };
    case 'receipt-queued':
      return receiptQueued(state, event);
    case 'receipts-sent':
      return { ...state, receipts: { ...state.receipts, sent: Math.max(state.receipts.sent, event.seq) } };
    case 'summing-up':
      return owesSummary(state, event);
    case 'hold':
      return { ...state, hold: event.hold };
    case 'unhold':
      return { ...state, hold: null };
    case 'allowed':
      return { ...state, denied: state.denied.filter(({ release }) => release !== event.release) };
    case 'stopped':
      return { ...state, stopped: true };
    case 'started':
      return { ...state, stopped: false };
    case 'role-used':
      return useRole(state, event);
    case 'drained':
      return { ...state, drained: event.reason };
    case 'rejoined':
      return { ...state, drained: null };
    case 'snapshot':
      // one of an earlier version knows less
      return { ...INITIAL_STATE, ...event.state };
    case 'exception-taken':
      return { ...state, taken: [...state.taken, event.exception].slice(-MAX_TAKEN) };
    case 'secret-taken':
      return takeSecret(state, event);
    default:
      throw impossible(state, event);
  }
}

/** An exception is used with the first word of what it lets through: no crash gives it back. */
function spend(state: SiteState, { exception }: Target): SiteState {
  if (exception === undefined) return state;
  const taken = state.taken.filter(({ nonce }) => nonce !== exception.nonce);
  return { ...state, taken, spent: [...state.spent, exception.nonce].slice(-MAX_SPENT) };
}

/** A use is counted, and owes its receipt, before anything is done by it. */
function useRole(state: SiteState, event: SiteEvent & { readonly is: 'role-used' }): SiteState {
  const { nonce, person, verb, at } = event;
  const grant = state.taken.find((each) => each.nonce === nonce);
  if (grant === undefined || state.owed !== null) throw impossible(state, event);
  const used = (grant.used ?? 0) + 1;
  const others = state.taken.filter((each) => each.nonce !== nonce);
  const isSpent = used >= grant.uses;
  return {
    ...state,
    taken: isSpent ? others : [...others, { ...grant, used }],
    spent: isSpent ? [...state.spent, nonce].slice(-MAX_SPENT) : state.spent,
    owed: {
      event: 'local-role',
      release: null,
      waybill: null,
      previous: state.current?.release ?? null,
      reason: null,
      exceptions: grant.statements,
      role: { person, verb },
      checks: [],
      at,
    },
  };
}

/** One value after the other: an older one is no news, whatever the journal is made to say. */
function takeSecret(state: SiteState, event: SiteEvent & { readonly is: 'secret-taken' }): SiteState {
  const { secret } = event;
  if (secret.version <= highestOf(state.secrets, secret.name)) throw impossible(state, event);
  const next = { ...state, secrets: [...state.secrets, secret] };
  return { ...next, secrets: keptSecrets(next) };
}

/** A release may be admitted when nothing is under way, or in place of one that was only laid down; one that failed here only by hand. */
function fresh(state: SiteState, target: Target): Target {
  const isResting = ['idle', 'admitted', 'staged'].includes(state.phase.at) && state.owed === null;
  const isDenied = target.cause === 'update' && state.denied.some(({ release }) => release === target.release);
  if (!isResting || isDenied) throw impossible(state, { is: 'admitted', target });
  return target;
}

function abandon(state: SiteState, event: SiteEvent): SiteState {
  if (state.phase.at !== 'admitted' && state.phase.at !== 'staged') throw impossible(state, event);
  return { ...state, phase: { at: 'idle' } };
}

/**
 * The intent to switch, written before anything is touched; written again by each recovery, so that attempts are counted: also after a reboot in probation,
 * which left nothing running.
 */
function switching(state: SiteState, event: SiteEvent): Phase {
  const { phase } = state;
  if (phase.at === 'staged') return { at: 'switching', target: phase.target, attempt: 1 };
  if (phase.at === 'switching' || phase.at === 'probation') return { at: 'switching', target: phase.target, attempt: phase.attempt + 1 };
  throw impossible(state, event);
}

/** What comes after health: parts without a way back, or the updater's own. */
function passed(state: SiteState, event: SiteEvent & { readonly is: 'passed' }): Phase {
  const { target } = within(state, event, 'probation');
  return event.slot === undefined ? { at: 'saving', target, attempt: 1 } : { at: 'trial', target, slot: event.slot, attempt: 1 };
}

/** From here on there is no way back: the floor is on disk before the first part is touched. */
function beyondReturn(state: SiteState, event: SiteEvent): SiteState {
  const { target } = within(state, event, 'saving');
  return { ...state, oneWayFloor: Math.max(state.oneWayFloor, target.counter), phase: { at: 'one-way', target, attempt: 1 } };
}

function commit(state: SiteState, event: SiteEvent & { readonly is: 'committed' }): SiteState {
  const target = committable(state, event);
  const { cause, began: _began, exception: _exception, oneWay: _oneWay, ...release } = target;
  const since = cause === 'secrets' && state.current !== null ? state.current.since : event.at;
  const current: Slot = { ...release, since };
  const others = [...(state.current === null ? [] : [state.current]), ...state.kept].filter((slot) => slot.release !== target.release);
  const kept = unique(others).slice(0, Math.max(1, event.keep - 1));
  const back =
    cause === 'rollback' && state.current !== null ? [{ release: state.current.release, reason: 'ROLLED_BACK_BY_HAND', at: event.at }] : [];
  return {
    ...state,
    phase: { at: 'committed' },
    current,
    previous: kept[0] ?? null,
    kept,
    stopped: false,
    committed: remember(state.committed, target.release),
    denied: [...state.denied.filter((entry) => entry.release !== target.release), ...back].slice(-MAX_REMEMBERED),
    owed: { ...owe(DONE[cause], target, state.current, event.at), ...tookOf(event) },
  };
}

/** What a receipt calls it when it is done. */
const DONE = { update: 'installed', rollback: 'rollback', secrets: 'rotated' } as const;

/** A release with parts without a way back is committed after them, or by a person who has seen to it. */
function committable(state: SiteState, event: SiteEvent): Target {
  const { phase } = state;
  if (phase.at === 'settling' || phase.at === 'trial' || (phase.at === 'probation' && phase.target.oneWay === undefined))
    return phase.target;
  if (phase.at === 'held' && phase.code === 'ONE_WAY_FAILED' && phase.target !== null) return phase.target;
  throw impossible(state, event);
}

function rollingBack(state: SiteState, event: SiteEvent & { readonly is: 'unhealthy' }): Phase {
  const { phase } = state;
  if (phase.at === 'switching' || phase.at === 'probation' || phase.at === 'saving' || phase.at === 'trial')
    return { at: 'rolling-back', target: phase.target, attempt: 1, failed: event.failed, ...beganOf(event) };
  throw impossible(state, event);
}

/** Another try at what was interrupted or had failed, after a crash in it or because a person asks for it: going back, or a part without a way back. */
function retried(state: SiteState, event: SiteEvent): Phase {
  const { phase } = state;
  if (isCounted(phase)) return { ...phase, attempt: phase.attempt + 1 };
  if (phase.at === 'held' && phase.code === 'ONE_WAY_FAILED' && phase.target !== null)
    return { at: 'one-way', target: phase.target, attempt: 1 };
  if (phase.at === 'held' && phase.target !== null) return { at: 'rolling-back', target: phase.target, attempt: 1, failed: [] };
  if (phase.at === 'held') return { at: 'idle' };
  throw impossible(state, event);
}

/** Phases whose interruptions are counted, so that nothing that restarts the host can keep it restarting. */
type Counted = Extract<Phase, { at: (typeof COUNTED)[number] }>;

function isCounted(phase: Phase): phase is Counted {
  return COUNTED.some((at) => at === phase.at);
}

function rolledBack(state: SiteState, event: SiteEvent & { readonly is: 'rolled-back' }): SiteState {
  const { target, failed } = within(state, event, 'rolling-back');
  return {
    ...state,
    phase: { at: 'rolled-back' },
    stopped: false,
    ...failedOf(state, target, event.at),
    owed: {
      ...owe(target.cause === 'secrets' ? 'rotated' : 'rolled-back', target, state.current, event.at),
      reason: 'HEALTH_FAILED',
      checks: failed,
      ...tookOf(event),
    },
  };
}

/** What is not tried again: the release, or where only values of secrets were new, those. */
function failedOf(state: SiteState, target: Target, at: string): Pick<SiteState, 'denied'> | Pick<SiteState, 'failedSecrets'> {
  if (target.cause === 'secrets')
    return { failedSecrets: [...state.failedSecrets, ...newSecrets(target, state.current)].slice(-MAX_REMEMBERED) };
  const entry = { release: target.release, reason: 'HEALTH_FAILED', at };
  return { denied: [...state.denied.filter(({ release }) => release !== target.release), entry].slice(-MAX_REMEMBERED) };
}

function refuse(state: SiteState, event: SiteEvent & { readonly is: 'refused' }): SiteState {
  if (state.owed !== null || !['idle', 'admitted', 'staged'].includes(state.phase.at)) throw impossible(state, event);
  const { code, release, waybill, checks, at } = event;
  const previous = state.current?.release ?? null;
  return {
    ...state,
    phase: { at: 'idle' },
    refused: { code, release, waybill, checks },
    owed: { event: 'refused', release, waybill, previous, reason: code, ...exceptionsOf(targetOf(state.phase)), checks, at },
  };
}

/** What it stands for is let go only when it is queued itself. */
function owesSummary(state: SiteState, event: SiteEvent & { readonly is: 'summing-up' }): SiteState {
  if (state.owed !== null) throw impossible(state, event);
  const { summary, at } = event;
  const previous = state.current?.release ?? null;
  return { ...state, owed: { event: 'summed-up', release: null, waybill: null, previous, reason: null, summary, checks: [], at } };
}

function receiptQueued(state: SiteState, event: SiteEvent & { readonly is: 'receipt-queued' }): SiteState {
  if (state.owed === null || event.seq !== state.receipts.seq + 1) throw impossible(state, event);
  const ended = state.phase.at === 'committed' || state.phase.at === 'rolled-back';
  return {
    ...state,
    owed: null,
    phase: ended ? { at: 'idle' } : state.phase,
    receipts: { ...state.receipts, seq: event.seq, prev: event.digest, ...summedBy(state.owed) },
  };
}

function summedBy({ summary }: OwedReceipt): Pick<SiteState['receipts'], 'summed'> {
  return summary === undefined ? {} : { summed: summary.runs };
}

function owe(event: OwedReceipt['event'], target: Target, previous: Slot | null, at: string): OwedReceipt {
  const rendered = target.rendered === undefined ? {} : { rendered: target.rendered };
  const exceptions = exceptionsOf(target);
  const secrets = target.secrets === undefined ? {} : { secrets: target.secrets };
  return {
    event,
    release: target.release,
    waybill: target.waybill,
    previous: previous?.release ?? null,
    reason: null,
    ...rendered,
    ...secrets,
    ...exceptions,
    checks: [],
    at,
  };
}

function exceptionsOf(target: Target | null): { readonly exceptions?: readonly Digest[] } {
  return target?.exception === undefined ? {} : { exceptions: target.exception.statements };
}

function tookOf({ seconds }: { readonly seconds?: number }): { readonly seconds?: number } {
  return seconds === undefined ? {} : { seconds };
}

function beganOf({ began }: { readonly began?: Moment }): { readonly began?: Moment } {
  return began === undefined ? {} : { began };
}

function targetOf(phase: Phase): Target | null {
  return 'target' in phase ? phase.target : null;
}

function remember(list: readonly Digest[], release: Digest): readonly Digest[] {
  return [...list.filter((item) => item !== release), release].slice(-MAX_REMEMBERED);
}

function unique(slots: readonly Slot[]): readonly Slot[] {
  return slots.filter((slot, index) => slots.findIndex(({ release }) => release === slot.release) === index);
}

/** The phase, if it is the one that this event belongs to. */
function within<P extends Phase['at']>(state: SiteState, event: SiteEvent, at: P): Extract<Phase, { at: P }> {
  if (isAt(state.phase, at)) return state.phase;
  throw impossible(state, event);
}

function isAt<P extends Phase['at']>(phase: Phase, at: P): phase is Extract<Phase, { at: P }> {
  return phase.at === at;
}

function impossible(state: SiteState, event: SiteEvent): SiteError {
  return new SiteError('STATE_CORRUPT', `read the journal: expected an event that follows ${state.phase.at}, got ${event.is}`, {
    phase: state.phase.at,
    event: event.is,
  });
}
