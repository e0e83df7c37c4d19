/** The publish lock: one promoter at a time changes a lane. It is with the ledger: a file beside SQLite's, a lock of the database of several promoters. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { lockBusy, type PublishLock, type PublishLocks } from './held-lock.js';
import { pauseMs } from './pause-shell.js';
import type { LedgerPlace } from './place.js';
import { asLedgerError, sqliteCode } from './sqlite-errors.js';

/** Another promoter's whole publish, with a slow witness, fits; after that somebody should look. */
const WAIT_MS = 60_000;
/** How often a waiting promoter looks again. */
const PAUSE_MS = 25;

/** An open exclusive transaction is a lock that the operating system releases with the process. */
const TAKE = 'BEGIN EXCLUSIVE';

/** Where the lock of a ledger is: this file, or the ledger's database. */
export interface LockPlace extends Pick<LedgerPlace, 'database'> {
  readonly file: string;
}

/** How a lock is waited for. */
export interface LockWait {
  readonly waitMs?: number;
}

/**
 * Runs `work` while holding the lock, waiting up to a minute (or `waitMs`) for another holder, in this process, another, or on another host.
 *
 * @throws LedgerError `LOCK_BUSY` another still holds it; `LEDGER_UNREADABLE` the file cannot be made; `LEDGER_UNREACHABLE` the database is not there
 */
export async function withPublishLock<T>(
  place: LockPlace,
  work: (lock: PublishLock) => Promise<T>,
  { waitMs = WAIT_MS }: LockWait = {},
): Promise<T> {
  const locks = await openPublishLock(place);
  try {
    return await locks.hold(work, waitMs);
  } finally {
    await locks.close();
  }
}

/** The lock of a ledger; nothing is held yet, and no connection made. */
export async function openPublishLock({ file, database }: LockPlace): Promise<PublishLocks> {
  if (database === undefined) return { hold: (work, waitMs = WAIT_MS) => holdFile(file, work, waitMs), close: () => Promise.resolve() };
  const { openDatabaseLock } = await import('./postgres/publish-lock-shell.js');
  return openDatabaseLock(database, WAIT_MS);
}

async function holdFile<T>(file: string, work: (lock: PublishLock) => Promise<T>, waitMs: number): Promise<T> {
  const lock = openLock(file);
  try {
    for (let waited = 0; !isTaken(lock, file); waited += PAUSE_MS) {
      if (waited >= waitMs) throw lockBusy(file, waitMs);
      await pauseMs(PAUSE_MS);
    }
    return await work({ fence: undefined, expectHeld: () => Promise.resolve() });
  } finally {
    lock.close();
  }
}

/** Takes the lock for as long as the process lives or until it is closed; undefined when another holds it. */
export function holdLock(file: string): { close(): void } | undefined {
  const lock = openLock(file);
  if (isTaken(lock, file)) return { close: () => void lock.close() };
  lock.close();
  return undefined;
}

function openLock(file: string): Database.Database {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    // waiting is done without blocking this process: the holder may be in it
    return new Database(file, { timeout: 0 });
  } catch (error) {
    throw asLedgerError(error, `open lock ${file}`);
  }
}

function isTaken(lock: Database.Database, file: string): boolean {
  try {
    lock.exec(TAKE);
    return true;
  } catch (error) {
    if (sqliteCode(error)?.startsWith('SQLITE_BUSY') === true) return false;
    throw asLedgerError(error, `take lock ${file}`);
  }
}
