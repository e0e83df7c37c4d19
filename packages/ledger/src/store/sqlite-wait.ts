/** Waiting for others who have the file of a ledger open, without blocking this process: they may be in it. */
import { LedgerError } from '@sealane/core';
import type Database from 'better-sqlite3';
import { pauseMs } from './pause-shell.js';
import { sqliteCode } from './sqlite-errors.js';

/** How long a writer waits for another writer: a commit takes milliseconds, a rebuilt projection seconds. */
const WRITE_WAIT_MS = 15_000;
/** Pauses between tries for the write lock, the last one repeated. */
const RETRY_PAUSES_MS = [1, 2, 5, 10, 20];

/** Takes the write lock, pausing between tries so that another transaction of this very process can end. */
export async function begin(writer: Database.Database): Promise<void> {
  let failure: unknown;
  const isBegun = (): boolean => {
    try {
      writer.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      if (sqliteCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error;
      failure = error;
      return false;
    }
  };
  await waitFor(isBegun, () => failure);
}

/** Tries again and again, with pauses; throws what `failure` gives when it took too long. */
async function waitFor(isDone: () => boolean, failure: () => unknown): Promise<void> {
  let waitedMs = 0;
  for (let attempt = 0; !isDone(); attempt += 1) {
    if (waitedMs >= WRITE_WAIT_MS) throw failure();
    const pause = RETRY_PAUSES_MS[Math.min(attempt, RETRY_PAUSES_MS.length - 1)] ?? 1;
    await pauseMs(pause);
    waitedMs += pause;
  }
}

/** Moves the write-ahead log into the file and cuts it, once nobody reads what was there before. @throws LedgerError `LEDGER_BUSY` somebody goes on reading */
export async function emptyLog(writer: Database.Database, file: string): Promise<void> {
  await waitFor(
    () => isMoved(writer.pragma('wal_checkpoint(TRUNCATE)')),
    () => busyReaders(file),
  );
}

/** Whether a checkpoint has moved the whole log into the file: where somebody reads, it answers `busy` and fails not. */
function isMoved(answer: unknown): boolean {
  const [row] = answer as readonly { readonly busy?: unknown }[];
  return row?.busy === 0;
}

function busyReaders(file: string): LedgerError {
  const what = `compact ledger ${file}: expected that nobody reads it for a moment, somebody has for ${WRITE_WAIT_MS / 1000} s`;
  const hint = 'end what reads it and run the command again: what was removed is still in its files';
  return new LedgerError('LEDGER_BUSY', what, { file }, { hint });
}
