/** Opens a copy of a ledger and its lane for reading: without pipeline.yaml, without keys, on any machine. */
import { PromoterError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { ledgerAt, openLedger } from '@sealane/ledger';
import { homeOf } from '../promoter.js';
import { readLaneTrust } from '../trust/lane-trust.js';
import type { LaneCopy } from './replay.js';

/**
 * Opens the ledger and lane of a command's --home, runs `work`, closes them. Nothing is written.
 *
 * @throws PromoterError `CONFIG_INVALID` no lane there; LedgerError for the ledger; TrustError `TRUST_*`
 */
export async function withLaneCopy<T>(call: CommandCall, work: (copy: LaneCopy) => Promise<T>): Promise<T> {
  const home = homeOf(call);
  const lane = readLaneTrust(home);
  const readOnly = { readOnly: true as const, now: noClock };
  const ledger = await openLedger({ ...ledgerAt(home.ledger), origin: lane.origin, ...readOnly });
  try {
    return await work({ home, ledger, lane });
  } finally {
    await ledger.close();
  }
}

function noClock(): never {
  throw new PromoterError('INTERNAL', 'read a copy of a ledger: expected that nothing asks for the time');
}
