/** What an operator asks of a ledger before trusting it again: the full check, the anchor beside it, and every leaf whose envelope is gone. */
import { type Digest, digestFromHex, hex } from '@sealane/core';
import { openAnchor } from '../log/anchor.js';
import { isOurPast } from '../log/cosigned.js';
import { readLogKeys } from '../log/log-keys.js';
import { readVkey } from '../store/initialise.js';
import { bytesAt, integerAt } from '../store/rows.js';
import { openStore } from '../store/open-store.js';
import type { LedgerPlace } from '../store/place.js';
import type { LedgerProblem } from './report.js';
import { verifyStore } from './verify.js';

/** The answer. `gone` lists leaves that can still be proved to be in the log, and no longer read. */
export interface FsckReport {
  readonly ok: boolean;
  readonly origin: string;
  /** Entries in the log. */
  readonly size: number;
  readonly problems: readonly LedgerProblem[];
  readonly gone: readonly { readonly logIndex: number; readonly digest: Digest }[];
}

/**
 * Checks a ledger by itself: no lane, no policy, no key is needed. Writes nothing.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED`, `LEDGER_MISMATCH` when it is so far gone that it does not say whose log it is
 */
export async function fsckLedger(place: LedgerPlace): Promise<FsckReport> {
  const store = await openStore(place, 'read-only');
  try {
    const keys = await readLogKeys(store, await readVkey(store));
    const origin = keys[0].vkey.name;
    const report = await verifyStore(store, { origin });
    const shown = openAnchor(place.file, () => keys).newest();
    const isBehind = shown !== undefined && !(await isOurPast(store, shown));
    const behind = isBehind
      ? [
          {
            where: 'anchor',
            key: String(shown.size),
            expected: 'a log that extends what it has shown',
            actual: `another of ${report.size} entries`,
          },
        ]
      : [];
    const rows = await store.all(
      'SELECT e.idx, e.statement FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx WHERE v.idx IS NULL ORDER BY e.idx',
    );
    const gone = rows.map((row) => ({ logIndex: integerAt(row, 'idx'), digest: digestFromHex(hex(bytesAt(row, 'statement'))) }));
    const problems = [...report.problems, ...behind];
    return { ok: problems.length === 0 && gone.length === 0, origin, size: report.size, problems, gone };
  } finally {
    await store.close();
  }
}
