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
/** A waiting one looks in this time, twice. */
const GIVE_WAY_MS = 60;

/** An open exclusive transaction is a lock that the operating system releases with the process. */
const TAKE = 'BEGIN EXCLUSIVE';
/** An open transaction that has read is a lock that many can have, beside nobody's exclusive one. */
const SHARE = 'BEGIN; SELECT 1 FROM sqlite_schema';

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
  if (database === undefined) {
    return {
      hold: (work, waitMs = WAIT_MS) => holdFile(file, work, waitMs),
      giveWay: async () => {
        if (isWaitedFor(file)) await pauseMs(GIVE_WAY_MS);
      },
      close: () => Promise.resolve(),
    };
  }
  const { openDatabaseLock } = await import('./postgres/publish-lock-shell.js');
  return openDatabaseLock(database, WAIT_MS);
}

async function holdFile<T>(file: string, work: (lock: PublishLock) => Promise<T>, waitMs: number): Promise<T> {
  const lock = openLock(file);
  try {
    if (!isTaken(lock, file)) await waitFor(lock, file, waitMs);
    return await work({ fence: undefined, expectHeld: () => Promise.resolve() });
  } finally {
    lock.close();
  }
}

/** Looks at the lock again and again until it is taken, and shows meanwhile that somebody waits. */
async function waitFor(lock: Database.Database, file: string, waitMs: number): Promise<void> {
  const queue = openLock(waitersOf(file));
  try {
    let isShown = isLocked(queue, SHARE, file);
    for (let waited = 0; waited < waitMs; waited += PAUSE_MS) {
      await pauseMs(PAUSE_MS);
      if (isTaken(lock, file)) return;
      // a holder that looked whether somebody waits was in the way
      isShown ||= isLocked(queue, SHARE, file);
    }
    throw lockBusy(file, waitMs);
  } finally {
    queue.close();
  }
}

/** Whether another waits for the lock now. */
function isWaitedFor(file: string): boolean {
  const nobody = holdLock(waitersOf(file));
  nobody?.close();
  return nobody === undefined;
}

/** Those who wait have a lock beside the one that they wait for: it goes with their process too. */
const waitersOf = (file: string): string => `${file}.waiting`;

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
  return isLocked(lock, TAKE, file);
}

function isLocked(lock: Database.Database, how: string, file: string): boolean {
  try {
    lock.exec(how);
    return true;
  } catch (error) {
    if (sqliteCode(error)?.startsWith('SQLITE_BUSY') !== true) throw asLedgerError(error, `take lock ${file}`);
    // begun, and then busy
    if (lock.inTransaction) lock.exec('ROLLBACK');
    return false;
  }
}
