/** Row D8: the server of the ledger is lost for good and its standby takes over: with a synchronous one nothing acknowledged is lost, behind another the log signs no fork. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '@sealane/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homeIn, type TestHome } from '../../packages/ledger/src/testing/open.js';
import { numbered, testKey } from '../../packages/ledger/src/testing/statements.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Postgres, postgresPrograms, startPostgres } from '../support/postgres.js';

const programs = postgresPrograms();
/** Callers of the ledger at once, and how much they have been told before the server is killed. */
const CALLERS = 4;
const ACKNOWLEDGED = 200;

let dir: string;
let lane: TestLane;
let release: string;
let load: TestHome;
const servers: Postgres[] = [];

beforeAll(async () => {
  if (programs === undefined) return;
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d8-standby-'));
  const primary = await startPostgres(programs);
  servers.push(primary);
  const database = await primary.createDatabase('lane');
  const other = await primary.createDatabase('load');
  const nothing = (): Promise<never> => Promise.reject(new Error('there is no backup'));
  load = homeIn(dir, other.place(dir), { backup: nothing, restore: nothing, remove: () => Promise.resolve() });
  lane = await makeLane(dir, { database: database.json });
});

afterAll(async () => {
  if (programs === undefined) return;
  await lane.stop();
  await Promise.all(servers.map((server) => server.remove()));
  rmSync(dir, { recursive: true, force: true });
});

/** What an operator changes when another server has the ledger. */
function pointTo(server: Postgres): void {
  writeFileSync(path.join(lane.home, 'ledger', 'database.json'), server.database('lane').json);
}

async function until(server: Postgres, query: string): Promise<void> {
  await expect.poll(() => server.sql(query), { message: query }).not.toEqual([]);
}

/** Appends one after the other until the server is gone; index → statement of what was acknowledged. */
async function appendUntilGone(ledger: Ledger, caller: number, told: Map<number, string>): Promise<unknown> {
  const key = testKey();
  for (let number = 0; ; number += 1) {
    try {
      const [appended] = await ledger.append([numbered(key, caller * 1_000_000 + number)]);
      if (appended !== undefined) told.set(appended.index, appended.statementDigest);
    } catch (error) {
      return error;
    }
  }
}

describe.skipIf(programs === undefined)('D8 a standby takes over (skipped without initdb, postgres, pg_basebackup)', () => {
  it('D8 in step with a primary that is killed in the middle of appends: all that was acknowledged is there, and the promoter goes on', async () => {
    const [primary] = servers as [Postgres];
    const standby = await primary.startStandby();
    servers.push(standby);
    await primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await primary.sql('SELECT pg_reload_conf()');
    await until(primary, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
    release = await lane.release('1.0.0');
    await lane.evidence(release);
    const ledger = await load.open();
    const told = new Map<number, string>();
    const callers = Array.from({ length: CALLERS }, (_, caller) => appendUntilGone(ledger, caller, told));
    while (told.size < ACKNOWLEDGED) await sleep(5);
    await primary.kill();
    for (const error of await Promise.all(callers)) expect(error).toMatchObject({ code: 'LEDGER_UNREACHABLE' });
    await ledger.close();
    expect(await lane.sealane(['promote', release, '--to', 'dev'], 6)).toMatchObject({ error: { code: 'LEDGER_UNREACHABLE' } });

    await standby.sql('SELECT pg_promote()');
    pointTo(standby);
    expect(await lane.sealane(['promote', release, '--to', 'dev'])).toMatchObject({ decision: 'passed' });
    expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
    const after = await load.openAt(standby.database('load').place(dir));
    const entries = await after.entriesAt([...told.keys()]);
    expect(new Map(entries.map(({ index, statementDigest }) => [index, statementDigest]))).toEqual(
      new Map([...told].sort(([left], [right]) => left - right)),
    );
    const [appended] = await after.append([numbered(testKey(), 1)]);
    expect(appended?.index).toBe((await after.size()) - 1);
    expect(await after.verify()).toMatchObject({ ok: true });
    await after.close();
  });

  it('D8 that had fallen behind: the promoter signs nothing on what it lacks, says what to do, and goes on when the lost server is back', async () => {
    const primary = servers.at(-1)!;
    const standby = await primary.startStandby();
    servers.push(standby);
    await until(primary, "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'");
    await standby.kill();
    expect(await lane.sealane(['promote', release, '--to', 'edge-preprod'])).toMatchObject({ decision: 'passed' });
    await primary.kill();

    await standby.start();
    await standby.sql('SELECT pg_promote()');
    pointTo(standby);
    const before = await standby.database('lane').sql('SELECT count(*) AS entries FROM log_entry');
    for (const words of [
      ['approve', release, '--to', 'prod', '--key', 'alice'],
      ['revoke', release, '--reason', 'broken'],
      ['publish', '--refresh'],
    ]) {
      const { error } = await lane.sealane(words, 8);
      expect(error, words.join(' ')).toMatchObject({ code: 'LOG_RESTORED' });
      expect(error.hint).toMatch(/restore the newest copy/);
    }
    expect(await standby.database('lane').sql('SELECT count(*) AS entries FROM log_entry')).toEqual(before);

    await standby.kill();
    await primary.start();
    pointTo(primary);
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);
    expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
  });
});
