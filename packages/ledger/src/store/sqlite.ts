/** Opens a ledger's SQLite file so that a commit is on the disk before it is acknowledged. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { emptyRoot, LedgerError } from '@sealane/core';
import Database from 'better-sqlite3';
import { SCHEMA, SCHEMA_VERSION } from './schema.js';

/** An open ledger file. */
export type Store = Database.Database;

/** Two promoters on one file wait this long for each other, in milliseconds. */
const BUSY_TIMEOUT_MS = 30_000;

/** `synchronous = FULL`: better-sqlite3 builds WAL databases with NORMAL, which may lose acknowledged commits on a power cut. */
const SYNCHRONOUS_FULL = 2;

/**
 * Opens the file for reading and writing, making it when it is not there.
 *
 * @throws LedgerError `LEDGER_UNREADABLE` not a ledger, of another version, or without durable commits
 */
export function openStore(file: string): Store {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const store = openFile(file, () => new Database(file, { timeout: BUSY_TIMEOUT_MS }));
  store.pragma('journal_mode = WAL');
  store.pragma('synchronous = FULL');
  store.pragma('foreign_keys = ON');
  if (store.pragma('synchronous', { simple: true }) !== SYNCHRONOUS_FULL || store.pragma('journal_mode', { simple: true }) !== 'wal') {
    throw new LedgerError('LEDGER_UNREADABLE', `open ledger ${file}: expected WAL with synchronous=FULL, got less`);
  }
  store.transaction(() => createWhenEmpty(store)).immediate();
  return assertVersion(store, file);
}

/**
 * Opens an existing file for reading only.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`
 */
export function openStoreForReading(file: string): Store {
  return assertVersion(openFile(file, () => new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })), file);
}

function openFile(file: string, open: () => Store): Store {
  try {
    return open();
  } catch (cause) {
    throw new LedgerError('LEDGER_UNREADABLE', `open ledger ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { file }, { cause });
  }
}

function createWhenEmpty(store: Store): void {
  if (store.pragma('user_version', { simple: true }) !== 0) return;
  store.exec(SCHEMA);
  store.prepare('INSERT INTO head (one, size, root) VALUES (1, 0, ?)').run(emptyRoot());
  store.pragma(`user_version = ${SCHEMA_VERSION}`);
}

function assertVersion(store: Store, file: string): Store {
  const version = openFile(file, () => store).pragma('user_version', { simple: true });
  if (version !== SCHEMA_VERSION) {
    throw new LedgerError('LEDGER_UNREADABLE', `open ledger ${file}: expected schema version ${SCHEMA_VERSION}, got ${String(version)}`, { file });
  }
  return store;
}
