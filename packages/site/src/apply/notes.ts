/** Events that leave the phase of a site alone: what is noted beside it. Pure; `step` takes those that change it. */
import { highestOf, keptSecrets } from './secret-versions.js';
import { exceptionsOf } from './owed.js';
import { impossible, targetOf } from './phase-of.js';
import { INITIAL_STATE, type OwedReceipt, type SiteEvent, type SiteState, type TakenException, type Target } from './state.js';

/** Exceptions that wait to be used, and nonces of used ones: each took people of policy to sign, and none holds longer than a year. */
const MAX_TAKEN = 16;
const MAX_SPENT = 4096;

/** Events that leave the phase alone, but for a refusal and the receipt that ends it. */
export function note(state: SiteState, event: SiteEvent): SiteState {
  switch (event.is) {
    case 'refused':
      return refuse(state, event);
    case 'accepted':
      return { ...state, refused: null };
    case 'receipt-queued':
      return receiptQueued(state, event);
    case 'receipts-sent':
      return { ...state, receipts: receiptsSent(state.receipts, event) };
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
      return takeException(state, event.exception);
    case 'secret-taken':
      return takeSecret(state, event);
    default:
      throw impossible(state, event);
  }
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

/** The oldest of too many is given up, and counts as used: taken in again it would be as good as new. */
function takeException({ taken, spent, ...state }: SiteState, exception: TakenException): SiteState {
  const all = [...taken, exception];
  const [givenUp, kept] = [all.slice(0, -MAX_TAKEN), all.slice(-MAX_TAKEN)];
  return { ...state, taken: kept, spent: [...spent, ...givenUp.map(({ nonce }) => nonce)].slice(-MAX_SPENT) };
}

/** An exception is used with the first word of what it lets through: no crash gives it back. */
export function spend(state: SiteState, { exception }: Target): SiteState {
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

function receiptsSent(
  receipts: SiteState['receipts'],
  { seq, carried }: SiteEvent & { readonly is: 'receipts-sent' },
): SiteState['receipts'] {
  return { ...receipts, sent: Math.max(receipts.sent, seq), ...(carried === undefined ? {} : { carried }) };
}

function summedBy({ summary }: OwedReceipt): Pick<SiteState['receipts'], 'summed'> {
  return summary === undefined ? {} : { summed: summary.runs };
}
