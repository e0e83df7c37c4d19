/** The machine: `step(state, event)` gives the next state and what is to be done in it. Pure. Every change of the phase is in this file; what leaves it alone is in `notes.ts`. */
import type { Check, Digest, ErrorCode } from '@sealane/core';
import { type Effect, effectsOf } from './effects.js';
import { note, spend } from './notes.js';
import { owe, tookOf } from './owed.js';
import { impossible, targetOf, within } from './phase-of.js';
import { newSecrets } from './secret-versions.js';
import { wentBackTo } from './way-back.js';
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
  const { cause, began: _began, exception, oneWay: _oneWay, ...release } = target;
  const since = cause === 'secrets' && state.current !== null ? state.current.since : event.at;
  // only people let one go back below the floor
  const isLet = cause === 'rollback' && exception !== undefined ? { belowFloor: true as const } : {};
  const current: Slot = { ...release, ...isLet, since };
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
  const back = event.to === undefined ? state : wentBackTo(state, event.to, event.at);
  if (back === undefined) throw impossible(state, event);
  const { current, previous, kept } = back;
  return {
    ...state,
    current,
    previous,
    kept,
    phase: { at: 'rolled-back' },
    stopped: false,
    ...failedOf(state, target, failed, event.at),
    owed: {
      ...owe(target.cause === 'secrets' ? 'rotated' : 'rolled-back', target, current, event.at),
      reason: reasonOf(failed),
      checks: [...failed, ...(event.barred ?? [])],
      ...tookOf(event),
    },
  };
}

/** What is not tried again: the release, or where only values of secrets were new, those. */
function failedOf(
  state: SiteState,
  target: Target,
  failed: readonly Check[],
  at: string,
): Pick<SiteState, 'denied'> | Pick<SiteState, 'failedSecrets'> {
  if (target.cause === 'secrets')
    return { failedSecrets: [...state.failedSecrets, ...newSecrets(target, state.current)].slice(-MAX_REMEMBERED) };
  const entry = { release: target.release, reason: reasonOf(failed), at };
  return { denied: [...state.denied.filter(({ release }) => release !== target.release), entry].slice(-MAX_REMEMBERED) };
}

/** Why a release was taken back: its health, or that it may not run any more. */
function reasonOf(failed: readonly Check[]): ErrorCode {
  const bar = failed.find(({ code }) => code === 'RELEASE_REVOKED' || code === 'RELEASE_BELOW_FLOOR');
  return bar?.code ?? 'HEALTH_FAILED';
}

function beganOf({ began }: { readonly began?: Moment }): { readonly began?: Moment } {
  return began === undefined ? {} : { began };
}

function remember(list: readonly Digest[], release: Digest): readonly Digest[] {
  return [...list.filter((item) => item !== release), release].slice(-MAX_REMEMBERED);
}

function unique(slots: readonly Slot[]): readonly Slot[] {
  return slots.filter((slot, index) => slots.findIndex(({ release }) => release === slot.release) === index);
}
