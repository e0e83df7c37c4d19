/**
 * The publish lock of promoters that share a database: a session's advisory lock under a lease, with a fence.
 *
 * The server ends a session that says nothing for as long as the lease: so a holder that was stopped, or cut off, keeps nobody out for good. The
 * next holder raises the fence, and what the old one writes when it wakes up is refused (`expectFence`).
 */
import { LedgerError } from '@sealane/core';
import pg from 'pg';
import { integerAt } from '../rows.js';
import type { PostgresPlace } from '../place.js';
import { lockBusy, type PublishLock, type PublishLocks } from '../held-lock.js';
import { beginAlone, expectFence, rowOf, lockLost, PUBLISH_LOCK } from './begin.js';
import { connectionTo, placeName } from './connect-shell.js';
import { asLedgerError } from './errors.js';
import { expectNoStrangers } from './strangers.js';

/** The lease, and how often a holder renews it. */
const LEASE = '15s';
const RENEW_MS = 3_000;
/** SQLSTATE of a lock that did not come in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** The lock of a database. It keeps its connection between holders of this process, and makes another when that is gone. */
export function openDatabaseLock(place: PostgresPlace, defaultWaitMs: number): PublishLocks {
  let kept: pg.Client | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const drop = async (): Promise<void> => {
    const client = kept;
    kept = undefined;
    await client?.end().catch(() => undefined);
  };
  const holdNow = async <T>(work: (lock: PublishLock) => Promise<T>, waitMs: number): Promise<T> => {
    kept ??= await connect(place, () => (kept = undefined));
    const client = kept;
    try {
      return await holding(client, place, waitMs, work);
    } catch (error) {
      // the lock goes with its session, whatever state it is in
      await drop();
      throw asLedgerError(error, `hold the publish lock of ${placeName(place)}`);
    }
  };
  return {
    hold: (work, waitMs = defaultWaitMs) => {
      const before = last;
      const held = (async () => {
        // one session: in this process holders queue here
        await before.catch(() => undefined);
        return await holdNow(work, waitMs);
      })();
      last = held;
      return held;
    },
    // a server gives its locks in the order in which they were asked for
    giveWay: () => Promise.resolve(),
    close: async () => {
      await last.catch(() => undefined);
      await drop();
    },
  };
}

async function connect(place: PostgresPlace, onLost: () => void): Promise<pg.Client> {
  const client = new pg.Client(connectionTo(place, 'writes'));
  client.on('error', onLost);
  client.on('end', onLost);
  try {
    await client.connect();
    await expectNoStrangers(client, placeName(place));
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw asLedgerError(error, `take the publish lock of ${placeName(place)}`);
  }
}

async function holding<T>(client: pg.Client, place: PostgresPlace, waitMs: number, work: (lock: PublishLock) => Promise<T>): Promise<T> {
  await take(client, place, waitMs);
  const renew = setInterval(() => void client.query('SELECT 1').catch(() => undefined), RENEW_MS);
  renew.unref();
  try {
    const fence = await raiseFence(client);
    return await work({ fence, expectHeld: () => expectHeld(client, fence) });
  } finally {
    clearInterval(renew);
    // a session that is gone holds nothing
    await client.query(`SELECT pg_advisory_unlock(${PUBLISH_LOCK}); SET idle_session_timeout = 0`).catch(() => undefined);
  }
}

async function take(client: pg.Client, place: PostgresPlace, waitMs: number): Promise<void> {
  try {
    await client.query(
      `SET lock_timeout = ${Math.max(1, Math.round(waitMs))}; SELECT pg_advisory_lock(${PUBLISH_LOCK}); SET lock_timeout = '15s'; SET idle_session_timeout = '${LEASE}'`,
    );
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE) throw lockBusy(placeName(place), waitMs);
    throw error;
  }
}

async function raiseFence(client: pg.Client): Promise<number> {
  await beginAlone(client);
  const row = rowOf(await client.query('UPDATE publish_fence SET fence = fence + 1 RETURNING fence::int AS fence; COMMIT'), 0);
  return integerAt(row, 'fence');
}

async function expectHeld(client: pg.Client, fence: number): Promise<void> {
  try {
    await expectFence(client, fence);
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    // who has no session any more holds nothing, whether another came after or not
    throw lockLost(fence, 'the session ended');
  }
}
