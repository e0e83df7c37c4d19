/** The publish lock: one promoter at a time changes a home. It dies with its process, whatever kills it. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { LedgerError } from '@sealane/core';
import Database from 'better-sqlite3';

/** Another promoter's whole publish, with a slow witness, fits; after that somebody should look. In milliseconds. */
const WAIT_MS = 60_000;

/**
 * Runs `work` while holding the lock `file`, waiting up to a minute for another holder.
 *
 * @throws LedgerError `LOCK_BUSY` another process still holds it
 */
export async function withPublishLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const lock = new Database(file, { timeout: WAIT_MS });
  try {
    take(lock, file);
    return await work();
  } finally {
    lock.close();
  }
}

function take(lock: Database.Database, file: string): void {
  try {
    // an open exclusive transaction is a lock that the operating system releases with the process
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError) || !cause.code.startsWith('SQLITE_BUSY')) throw cause;
    throw new LedgerError('LOCK_BUSY', `take the publish lock ${file}: expected it within ${WAIT_MS / 1000} s, another process holds it`, { file }, { cause });
  }
}
