/** Connections to the database: where it is, who we are, and what each session is told. */
import { readFileSync, statSync } from 'node:fs';
import { LedgerError } from '@sealane/core';
import type pg from 'pg';
import type { PostgresPlace } from '../place.js';

/** A database that does not answer for so long is not there. In milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/** No statement of ours takes as long: behind it the server, or the way to it, has gone silently. In milliseconds. */
const QUERY_TIMEOUT_MS = 120_000;
/** How long a writer waits for another writer. */
const WRITE_WAIT = '15s';
/** A process that stopped in the middle of a transaction keeps others out for so long at most. */
const STALLED = '60s';
/** Lets a server find within half a minute that a host has gone, and with it the locks that it held. */
const KEEPALIVE = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3';
/** Group and others may read a file with these bits. */
const EXPOSED = 0o077;

/** What a connection is for: sessions that only read are told so. */
export type SessionKind = 'reads' | 'writes';

/**
 * Settings of a connection.
 *
 * @throws LedgerError `CONFIG_INVALID` a password or CA file that is not there; `KEY_EXPOSED` a password that others may read
 */
export function connectionTo(place: PostgresPlace, kind: SessionKind): pg.ClientConfig {
  const { host, port, database, user, passwordFile, tls } = place;
  return {
    host,
    port,
    database,
    user,
    ...(passwordFile === undefined ? {} : { password: readPassword(passwordFile) }),
    ssl: tls === undefined ? false : { rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: readNamed(tls.ca) }) },
    application_name: 'sealane',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    // nothing that the role or the database is set to may weaken a commit
    options: `-c search_path=public -c synchronous_commit=on -c lock_timeout=${WRITE_WAIT} -c idle_in_transaction_session_timeout=${STALLED} ${KEEPALIVE}${kind === 'reads' ? ' -c default_transaction_read_only=on' : ''}`,
  };
}

/** How a place is named in messages. */
export function placeName({ host, port, database }: PostgresPlace): string {
  return `postgres ${database} at ${host}:${port}`;
}

function readPassword(file: string): string {
  const text = readNamed(file);
  if ((statSync(file).mode & EXPOSED) !== 0)
    throw new LedgerError('KEY_EXPOSED', `read password ${file}: expected a file that only its owner may read`, { file });
  return text.replace(/\r?\n$/, '');
}

function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new LedgerError('CONFIG_INVALID', `read ${file} of the database: ${why}`, { file }, { cause });
  }
}
