/** What an operator asks of a ledger before trusting it again: the full check, what was kept beside it, and every leaf whose envelope is gone. */
import { existsSync } from 'node:fs';
import { type Digest, digestFromHex, hex, LedgerError } from '@sealane/core';
import { openArchive } from '../archive/read-packs.js';
import { openAnchor } from '../log/anchor.js';
import { type Head, headOf } from '../log/commits.js';
import { isOurPast } from '../log/cosigned.js';
import { readLogKeys } from '../log/log-keys.js';
import { readVkey } from '../store/initialise.js';
import { bytesAt, integerAt } from '../store/rows.js';
import { openStore } from '../store/open-store.js';
import type { Queries, Row } from '../store/store.js';
import type { LedgerPlace } from '../store/place.js';
import { openSqlite } from '../store/sqlite.js';
import { verifiedFile } from '../verified/open-index.js';
import type { LedgerProblem, Unseen } from './report.js';
import { verifyStore } from './verify.js';

/**
 * The answer. `gone` lists leaves that can still be proved to be in the log, and no longer read. `archived` counts those whose payload is in the archive alone, `erased` lists
 * those that were erased, by which entry.
 */
export interface FsckReport {
  readonly ok: boolean;
  readonly origin: string;
  /** Entries in the log. */
  readonly size: number;
  readonly problems: readonly LedgerProblem[];
  readonly gone: readonly { readonly logIndex: number; readonly digest: Digest }[];
  readonly archived: number;
  readonly erased: readonly { readonly logIndex: number; readonly digest: Digest; readonly erasure: number }[];
  readonly unseen: Unseen | null;
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
    const report = await verifyStore(store, { origin }, openArchive(place.archive ?? []));
    const known: readonly (readonly [where: string, what: string, head: Head | undefined])[] = [
      ['anchor', 'what it has shown', openAnchor(place.file, () => keys).newest()],
      ['verified', 'what was verified of it here', await verifiedHead(place)],
    ];
    const behind: LedgerProblem[] = [];
    for (const [where, what, head] of known)
      if (head !== undefined && !(await isOurPast(store, head)))
        behind.push({ where, key: `${head.size}`, expected: `a log that extends ${what}`, actual: `another of ${report.size} entries` });
    const absent = await absentEntries(store);
    const problems = [...report.problems, ...behind];
    const ok = problems.length === 0 && absent.gone.length === 0 && report.unseen === null;
    return { ok, origin, size: report.size, problems, ...absent, unseen: report.unseen };
  } finally {
    await store.close();
  }
}

/** Entries without an envelope, by where their payload is. */
async function absentEntries(store: Queries): Promise<Pick<FsckReport, 'gone' | 'archived' | 'erased'>> {
  const named = (row: Row): { readonly logIndex: number; readonly digest: Digest } => ({
    logIndex: integerAt(row, 'idx'),
    digest: digestFromHex(hex(bytesAt(row, 'statement'))),
  });
  const gone = await store.all(`${ABSENT} AND NOT EXISTS (SELECT 1 FROM archived a WHERE a.idx = e.idx) AND r.idx IS NULL ORDER BY e.idx`);
  const erased = await store.all(`${ABSENT} AND r.idx IS NOT NULL ORDER BY e.idx`);
  const archived = await store.get(
    'SELECT count(DISTINCT a.idx) AS count FROM archived a WHERE NOT EXISTS (SELECT 1 FROM envelope v WHERE v.idx = a.idx) AND NOT EXISTS (SELECT 1 FROM erased r WHERE r.idx = a.idx)',
  );
  return {
    gone: gone.map(named),
    archived: archived === undefined ? 0 : integerAt(archived, 'count'),
    erased: erased.map((row) => ({ ...named(row), erasure: integerAt(row, 'erasure') })),
  };
}

const ABSENT = `SELECT e.idx, e.statement, r.erasure FROM log_entry e LEFT JOIN envelope v ON v.idx = e.idx LEFT JOIN erased r ON r.idx = e.idx
  WHERE v.idx IS NULL`;

/** The head up to which a promoter has verified a log in a database; undefined where none did. */
async function verifiedHead({ file, database }: LedgerPlace): Promise<Head | undefined> {
  if (database === undefined || !existsSync(verifiedFile(file))) return undefined;
  try {
    const index = openSqlite(verifiedFile(file), 'read-only');
    try {
      return await headOf(index);
    } finally {
      await index.close();
    }
  } catch (error) {
    // the next promotion makes it anew
    if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') return undefined;
    throw error;
  }
}
