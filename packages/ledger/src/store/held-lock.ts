/** What holding the publish lock gives, whatever it is kept in. */
import { LedgerError } from '@sealane/core';

/** The lock while it is held. */
export interface PublishLock {
  /** Grows with each holder. A file's lock has none: it dies with its process, so that nobody comes after a holder that lives. */
  readonly fence: number | undefined;
  /** @throws LedgerError `LOCK_LOST` this process had stopped for so long that another took the lock */
  expectHeld(): Promise<void>;
}

/** The lock, to be taken again and again. */
export interface PublishLocks {
  /** @throws LedgerError `LOCK_BUSY` another still holds it after `waitMs` */
  hold<T>(work: (lock: PublishLock) => Promise<T>, waitMs?: number): Promise<T>;
  /** For who takes it again and again, between two times: lets others have it who wait for it. Where nobody waits it takes no time. */
  giveWay(): Promise<void>;
  close(): Promise<void>;
}

/** Says that the lock is still another's. */
export function lockBusy(what: string, waitMs: number): LedgerError {
  return new LedgerError('LOCK_BUSY', `take the publish lock ${what}: expected it within ${waitMs / 1000} s, another process holds it`, {
    file: what,
  });
}
