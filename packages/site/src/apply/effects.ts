/**
 * What is to be done in a state. A function of the state alone, so that recovery is nothing special: fold the journal, do what the
 * state asks for. Every effect may have been done already, wholly or in part; each is written so that doing it again is safe.
 */
import type { OwedReceipt, Phase, SiteState, Target } from './state.js';
import type { Check, Digest } from '@sealane/core';

/** One thing for the shell to do; it answers with the event named. */
export type Effect =
  /** Sign the owed receipt and queue it on disk → `receipt-queued`. */
  | { readonly do: 'queue-receipt'; readonly owed: OwedReceipt; readonly seq: number; readonly prev: Digest | null }
  /** Copy the blobs, unpack into the slot → `staged`, `refused`, or `abandoned`. */
  | { readonly do: 'stage'; readonly target: Target }
  /** Write down the intent → `switching`. */
  | { readonly do: 'intend'; readonly target: Target }
  /** Stop what runs, point `current` at the slot, start → `probation` or `unhealthy`. */
  | { readonly do: 'switch'; readonly target: Target; readonly attempt: number }
  /** Watch its health → `committed`, `passed` or `unhealthy`. */
  | { readonly do: 'watch'; readonly target: Target }
  /** Save what parts without a way back may spoil → `saved` or `unhealthy`. */
  | { readonly do: 'save'; readonly target: Target; readonly attempt: number }
  /** Bring in the parts without a way back → `applied` or `held`. */
  | { readonly do: 'apply-one-way'; readonly target: Target; readonly attempt: number }
  /** See it healthy with them → `committed` or `held`. */
  | { readonly do: 'settle'; readonly target: Target; readonly attempt: number }
  /** Let the updater's new program pass its check → `committed` or `unhealthy`; or end, for another program to go on. */
  | { readonly do: 'try-program'; readonly phase: Extract<Phase, { at: 'trial' }> }
  /** Stop what runs, point `current` back to what may run, start, see it healthy → `rolled-back` or `held`. */
  | {
      readonly do: 'go-back';
      readonly target: Target;
      readonly attempt: number;
      readonly failed: readonly Check[];
    }
  /** Stop what runs and remove all that this site holds, its key last → `wiped`. */
  | { readonly do: 'wipe' };

/** What the state asks for; nothing when it rests. An owed receipt comes before anything new. */
export function effectsOf(state: SiteState): readonly Effect[] {
  if (state.owed !== null) return [{ do: 'queue-receipt', owed: state.owed, seq: state.receipts.seq + 1, prev: state.receipts.prev }];
  const { phase } = state;
  switch (phase.at) {
    case 'admitted':
      return [{ do: 'stage', target: phase.target }];
    case 'staged':
      return [{ do: 'intend', target: phase.target }];
    case 'switching':
      return [{ do: 'switch', target: phase.target, attempt: phase.attempt }];
    case 'probation':
      return [{ do: 'watch', target: phase.target }];
    case 'saving':
      return [{ do: 'save', target: phase.target, attempt: phase.attempt }];
    case 'one-way':
      return [{ do: 'apply-one-way', target: phase.target, attempt: phase.attempt }];
    case 'settling':
      return [{ do: 'settle', target: phase.target, attempt: phase.attempt }];
    case 'trial':
      return [{ do: 'try-program', phase }];
    case 'rolling-back':
      return [{ do: 'go-back', target: phase.target, attempt: phase.attempt, failed: phase.failed }];
    case 'retiring':
      return [{ do: 'wipe' }];
    default:
      return [];
  }
}
