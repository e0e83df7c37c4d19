/** The publish lock: one promoter at a time changes a home. It dies with its process, whatever kills it. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { LedgerError } from '@sealane/core';
import Database from 'better-sqlite3';
import { pauseMs } from './pause-shell.js';
import { asLedgerError, sqliteCode } from './sqlite-errors.js';

/** Another promoter's whole publish, with a slow witness, fits; after that somebody should look. */
const WAIT_MS = 60_000;
/** How often a waiting promoter looks again. */
const PAUSE_MS = 25;

/** An open exclusive transaction is a lock that the operating system releases with the process. */
const TAKE = 'BEGIN EXCLUSIVE';

/**
 * Runs `work` while holding the lock `file`, waiting up to a minute (or `waitMs`) for another holder, in this process or another.
 *
 * @throws LedgerError `LOCK_BUSY` another still holds it; `LEDGER_UNREADABLE` the file cannot be made
 */
export async function withPublishLock<T>(
  file: string,
  work: () => Promise<T>,
  { waitMs = WAIT_MS }: { readonly waitMs?: number } = {},
): Promise<T> {
  const lock = openLock(file);
  try {
    for (let waited = 0; !isTaken(lock, file); waited += PAUSE_MS) {
      if (waited >= waitMs)
        throw new LedgerError(
          'LOCK_BUSY',
          `take the publish lock ${file}: expected it within ${waitMs / 1000} s, another process holds it`,
          { file },
        );
      await pauseMs(PAUSE_MS);
    }
    return await work();
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
