/** Named places between durable steps, announced on a diagnostics channel: tests stop the process there. */
import { channel } from 'node:diagnostics_channel';

/** The places of this package. */
export type LedgerPoint =
  | 'ledger:rows-written'
  | 'ledger:committed'
  | 'ledger:anchored'
  | 'ledger:cosigned'
  | 'ledger:verified'
  | 'ledger:key-replaced'
  | 'ledger:packs-copied'
  | 'ledger:packs-offered'
  | 'ledger:envelopes-removed'
  | 'ledger:moved-out'
  | 'ledger:erased'
  | 'ledger:tiles-published'
  | 'ledger:checkpoint-published'
  | 'witness:persisted';

const points = channel('sealane:point');

/** Announces a place. Nobody listens in the product. */
export function reached(name: LedgerPoint): void {
  points.publish({ name });
}
