/** What a receipt that is owed says: it is queued, signed and chained when the state that owes it is on disk. */
import type { Digest } from '@sealane/core';
import type { OwedReceipt, Slot, Target } from './state.js';

/** The receipt of a release that was brought in, taken back, or given other secrets. */
export function owe(event: OwedReceipt['event'], target: Target, previous: Slot | null, at: string): OwedReceipt {
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

/** The exceptions that a release was let in by. */
export function exceptionsOf(target: Target | null): { readonly exceptions?: readonly Digest[] } {
  return target?.exception === undefined ? {} : { exceptions: target.exception.statements };
}

/** How long it took, where that was measured. */
export function tookOf({ seconds }: { readonly seconds?: number }): { readonly seconds?: number } {
  return seconds === undefined ? {} : { seconds };
}
