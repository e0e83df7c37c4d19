/** What PostgreSQL and the way to it say, in the words of the error table. */
import { type ErrorCode, LedgerError, SealaneError } from '@sealane/core';
import pg from 'pg';

/**
 * Prefix of an SQLSTATE (PostgreSQL, appendix A) → ours. A trigger stops what does not fit the rows that are there (P0001); breaking another
 * constraint is a fault of the program.
 */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['08', 'LEDGER_UNREACHABLE'],
  ['25006', 'LEDGER_WRITE_FAILED'],
  ['25P03', 'LEDGER_UNREACHABLE'],
  ['28', 'LEDGER_UNREADABLE'],
  ['3D000', 'LEDGER_UNREADABLE'],
  ['40', 'LEDGER_BUSY'],
  ['42501', 'LEDGER_UNREADABLE'],
  ['42', 'LEDGER_DAMAGED'],
  ['53300', 'LEDGER_UNREACHABLE'],
  ['53', 'LEDGER_WRITE_FAILED'],
  ['55P03', 'LEDGER_BUSY'],
  ['57014', 'LEDGER_BUSY'],
  ['57', 'LEDGER_UNREACHABLE'],
  ['58', 'LEDGER_WRITE_FAILED'],
  ['P0001', 'LEDGER_DAMAGED'],
  ['XX', 'LEDGER_DAMAGED'],
];

/** The client's own words for a connection that ended or never came to be: it gives them no code. */
const LOST = /^(?:Connection terminated|timeout e|Client (?:has encountered|was closed)|Query read timeout|Cannot use a pool)/;

/** A failure of the database, or of the way to it, as a `LedgerError`; anything else unchanged. */
export function asLedgerError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof SealaneError) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  const native = 'code' in error ? String(error.code) : 'connection';
  return new LedgerError(code, `${doing}: ${error.message.trim() || 'the connection failed'} (${native})`, { native }, { cause: error });
}

function codeOf(error: Error): ErrorCode | undefined {
  const { code } = error as { code?: unknown };
  if (error instanceof pg.DatabaseError) return CODES.find(([prefix]) => String(code).startsWith(prefix))?.[1];
  // of sockets and name servers
  if (typeof code === 'string' && /^(?:E[A-Z]+|ERR_TLS_\w+|[A-Z_]*CERT[A-Z_]*)$/.test(code)) return 'LEDGER_UNREACHABLE';
  return LOST.test(error.message) ? 'LEDGER_UNREACHABLE' : undefined;
}
