/** What SQLite says, in the words of the error table. */
import { type ErrorCode, LedgerError } from '@sealane/core';
import Database from 'better-sqlite3';

/** SQLite's own code of an error, such as `SQLITE_BUSY_SNAPSHOT`; undefined for errors of anybody else. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}

/** Prefix of SQLite's code → ours. A trigger stops what does not fit the rows that are there; breaking another constraint is a fault of the program. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_BUSY', 'LEDGER_BUSY'],
  ['SQLITE_LOCKED', 'LEDGER_BUSY'],
  ['SQLITE_FULL', 'LEDGER_WRITE_FAILED'],
  ['SQLITE_IOERR', 'LEDGER_WRITE_FAILED'],
  ['SQLITE_READONLY', 'LEDGER_WRITE_FAILED'],
  ['SQLITE_CANTOPEN', 'LEDGER_UNREADABLE'],
  ['SQLITE_PERM', 'LEDGER_UNREADABLE'],
  ['SQLITE_CORRUPT', 'LEDGER_DAMAGED'],
  ['SQLITE_NOTADB', 'LEDGER_DAMAGED'],
  ['SQLITE_ERROR', 'LEDGER_DAMAGED'],
  ['SQLITE_CONSTRAINT_TRIGGER', 'LEDGER_DAMAGED'],
];

/** The file is no database any more, or not a whole one. */
const BROKEN = ['SQLITE_CORRUPT', 'SQLITE_NOTADB'];
const RESTORE = 'restore a backup that is not older than the last witnessed checkpoint: sealane restore FILE --home DIR';

/** A failure of SQLite, or of the file system below it, as a `LedgerError`; anything else unchanged. */
export function asLedgerError(error: unknown, doing: string): unknown {
  const native = sqliteCode(error) ?? fileErrorCode(error);
  if (native === undefined || !(error instanceof Error)) return error;
  const code = CODES.find(([prefix]) => native.startsWith(prefix))?.[1] ?? (native.startsWith('SQLITE') ? undefined : 'LEDGER_UNREADABLE');
  if (code === undefined) return error;
  // no check of rows gets anywhere in such a file
  const hint = BROKEN.some((prefix) => native.startsWith(prefix)) ? { hint: RESTORE } : {};
  return new LedgerError(code, `${doing}: ${error.message} (${native})`, { native }, { cause: error, ...hint });
}

/** Codes of `node:fs`, and better-sqlite3's plain TypeError for a folder that is not there. */
function fileErrorCode(error: unknown): string | undefined {
  if (error instanceof TypeError && error.message.includes('directory does not exist')) return 'ENOENT';
  const isFileError = error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
  return isFileError ? String(error.code) : undefined;
}
