/** The beginning of a write: alone, under the fence, and on a server whose commits survive a power cut. */
import { LedgerError } from '@sealane/core';
import type pg from 'pg';
import { integerAt, textAt } from '../rows.js';
import type { Row } from '../store.js';

/** Advisory locks of this database: one writer at a time, and one publisher. The first number is ours, the second says which. */
const WRITER_LOCK = '23713, 1';
export const PUBLISH_LOCK = '23713, 2';

/** What a commit rests on. `synchronous_commit` is this session's own. */
const SETTINGS =
  "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_commit') AS synchronous_commit";

const FENCE = 'SELECT fence::int AS fence FROM publish_fence';

/** Begins a transaction that excludes every other writer. One round trip; what is read in it is as of after the lock was taken. */
export async function beginAlone(client: pg.PoolClient | pg.Client): Promise<void> {
  expectAllOn(rowOf(await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${WRITER_LOCK}); ${SETTINGS}`)));
}

/** As `beginAlone`, under a fence: in the same round trip. @throws LedgerError as `expectFence` */
export async function beginFenced(client: pg.PoolClient, fence: number): Promise<void> {
  const results = await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${WRITER_LOCK}); ${SETTINGS}; ${FENCE}`);
  expectAllOn(rowOf(results, -2));
  expectSame(fence, rowOf(results));
}

function expectAllOn(settings: Row): void {
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) expectOn(settings, name);
}

function expectOn(settings: Row, name: string): void {
  const actual = textAt(settings, name);
  if (actual !== 'on')
    throw new LedgerError('LEDGER_NOT_DURABLE', `write the ledger: expected ${name} on, got ${actual}`, { name, actual });
}

/** What of a server's settings lets a power cut take what was acknowledged. */
export async function durabilityProblems(client: pg.PoolClient): Promise<readonly string[]> {
  const settings = rowOf(await client.query(SETTINGS));
  return ['fsync', 'full_page_writes'].flatMap((name) => (textAt(settings, name) === 'on' ? [] : [`${name} is ${textAt(settings, name)}`]));
}

/**
 * Refuses a write by a holder of the publish lock that another has followed since: it was stopped for so long that the server let go of it.
 *
 * @throws LedgerError `LOCK_LOST`
 */
export async function expectFence(client: pg.PoolClient | pg.Client, fence: number): Promise<void> {
  expectSame(fence, rowOf(await client.query(FENCE)));
}

function expectSame(fence: number, row: Row): void {
  const now = integerAt(row, 'fence');
  if (now !== fence) throw lockLost(fence, `another took it with fence ${now}`);
}

/** Says that the publish lock is no longer held. */
export function lockLost(fence: number, why: string): LedgerError {
  return new LedgerError('LOCK_LOST', `write under the publish lock: expected to hold it with fence ${fence}, ${why}`, { fence });
}

/** Of several statements that were sent together there is a result each: the row of one, by default of the last. */
export function rowOf(results: pg.QueryResult | readonly pg.QueryResult[], at = -1): Row {
  const result = Array.isArray(results) ? (results as readonly pg.QueryResult[]).at(at) : (results as pg.QueryResult);
  return (result?.rows[0] ?? {}) as Row;
}
