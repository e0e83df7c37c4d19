/** A home that stands still: under the publish lock, its ledger open for reading. No key is opened for it. */
import type { CommandCall } from '@sealane/core/command-line';
import { type Ledger, ledgerAt, openLedger, withPublishLock } from '@sealane/ledger';
import { nowText } from '../clock.js';
import { readNamed } from '../disk-shell.js';
import type { Home } from '../home.js';
import { readPipeline } from '../pipeline/pipeline.js';
import { homeOf } from '../promoter.js';
import { type LaneTrust, readLaneTrust } from '../trust/lane-trust.js';

export interface StillHome {
  readonly home: Home;
  readonly ledger: Ledger;
  readonly lane: LaneTrust;
  readonly keptIn: 'sqlite' | 'postgresql';
}

/**
 * Runs `work` while nobody logs or publishes.
 *
 * @throws PromoterError `CONFIG_INVALID` no home there; LedgerError `LEDGER_BUSY` another holds the lock, and others for the ledger
 */
export async function withStillHome<T>(call: CommandCall, work: (still: StillHome) => Promise<T>): Promise<T> {
  const home = homeOf(call);
  const { lane: origin } = await readPipeline(readNamed(home.pipeline, 'pipeline'), home.pipeline);
  const place = ledgerAt(home.ledger);
  return await withPublishLock({ ...place, file: home.lock }, async () => {
    const ledger = await openLedger({ ...place, origin, now: nowText, readOnly: true });
    try {
      return await work({ home, ledger, lane: readLaneTrust(home), keptIn: place.database === undefined ? 'sqlite' : 'postgresql' });
    } finally {
      await ledger.close();
    }
  });
}
