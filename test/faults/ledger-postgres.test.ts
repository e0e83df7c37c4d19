/** The ledger on a real PostgreSQL server: all that holds of every ledger, its guards, and a server that is killed, cut off or set to forget. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestFromHex } from '@sealane/core';
import { type Ledger, type LedgerPlace, openLedger, openPublishLock, withPublishLock } from '@sealane/ledger';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeArchive } from '../../packages/ledger/src/testing/archive-suite.js';
import { describeErasing, orderErasure } from '../../packages/ledger/src/testing/erase-suite.js';
import { describeLedger } from '../../packages/ledger/src/testing/ledger-suite.js';
import { homeIn, NOW, ORIGIN, type TestHome } from '../../packages/ledger/src/testing/open.js';
import { numbered, oneOfEach, testKey } from '../../packages/ledger/src/testing/statements.js';
import { fsckLedger } from '../../packages/ledger/src/verify/fsck.js';
import { type Database, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.js';

const programs = postgresPrograms();
const author = testKey();
let server: Postgres;
let made = 0;

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
});

afterAll(async () => {
  if (programs !== undefined) await server.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A ledger that is closed after its home was removed writes down once more what it has verified. */
const folders: string[] = [];

interface PostgresHome extends TestHome {
  readonly database: Database;
}

/** A home whose ledger is in a database of its own. */
async function makeHome(): Promise<PostgresHome> {
  made += 1;
  const name = `ledger_${made}`;
  const database = await server.createDatabase(name);
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-ledger-'));
  folders.push(folder);
  const place = database.place(folder);
  const home = homeIn(folder, place, {
    backup: async () => {
      await server.sql(`CREATE DATABASE ${name}_backup TEMPLATE ${name}`);
      return { file: path.join(folder, 'backup.sqlite'), database: { ...place.database!, database: `${name}_backup` } };
    },
    restore: async (backup) => {
      await server.sql(`DROP DATABASE ${name}`);
      await server.sql(`CREATE DATABASE ${name} TEMPLATE ${backup.database!.database}`);
    },
    remove: () => Promise.resolve(),
  });
  return { ...home, database };
}

const marked = (version: number): string => `COMMENT ON TABLE ledger IS 'sealane ledger, schema ${version}'`;
/** Version 7 archived no documents. */
const AS_7 = `DROP TABLE archived_document; DROP FUNCTION archived_document_dense(); ${marked(7)}`;
/** Version 6 kept every payload. */
const AS_6 = `${AS_7}; DROP TABLE archived; DROP TABLE archive_pack; DROP TABLE erased; DROP TRIGGER envelope_kept ON envelope; DROP TRIGGER envelope_frozen ON envelope;
  DROP TRIGGER envelope_dense ON envelope; DROP FUNCTION envelope_kept(), envelope_dense(), archived_dense(), archive_pack_dense(), erased_dense();
  CREATE TRIGGER envelope_frozen BEFORE DELETE OR UPDATE OR TRUNCATE ON envelope FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_frozen();
  CREATE FUNCTION envelope_dense() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS
    'BEGIN IF NEW.idx <> coalesce((SELECT max(idx) + 1 FROM envelope), 0) THEN RAISE EXCEPTION ''append-only''; END IF; RETURN NEW; END';
  CREATE TRIGGER envelope_dense BEFORE INSERT ON envelope FOR EACH ROW EXECUTE FUNCTION envelope_dense(); ${marked(6)}`;
/** Version 5 found no release by its parts, and no site by what is missing of it. */
const AS_5 = `${AS_6}; DROP TABLE component; DROP INDEX receipt_loose; DROP INDEX receipt_back; DROP INDEX receipt_previous; ALTER TABLE receipt DROP COLUMN loose; ${marked(5)}`;
/** Version 4 found no statement by its type. */
const AS_4 = `${AS_5}; DROP INDEX statement_type; ${marked(4)}`;
/** Version 3 knew one key of the log. */
const AS_3 = `${AS_4}; DROP TABLE log_key; DROP FUNCTION log_key_dense(); ${marked(3)}`;
/** The projection as version 2 had it, as far as it was another; the guards of the log stay. */
const AS_2 = `${AS_3}; DROP TABLE receipt; DROP TABLE site_record; DROP TABLE document;
  CREATE TABLE site_record(idx BIGINT PRIMARY KEY, site TEXT COLLATE "C" NOT NULL, key_id BYTEA NOT NULL, stage TEXT COLLATE "C" NOT NULL);
  CREATE TABLE receipt(idx BIGINT PRIMARY KEY, site TEXT COLLATE "C" NOT NULL, key_id BYTEA NOT NULL, seq BIGINT NOT NULL, prev BYTEA,
    event TEXT COLLATE "C" NOT NULL, artifact BIGINT REFERENCES artifact(id), waybill BYTEA, reason TEXT COLLATE "C", at TEXT COLLATE "C" NOT NULL);
  ${marked(2)}`;

describe.skipIf(programs === undefined)('on PostgreSQL (skipped without initdb, postgres, pg_basebackup)', () => {
  describeLedger('the ledger on PostgreSQL', makeHome);
  describeArchive('the archive of a ledger on PostgreSQL', makeHome);
  describeErasing('erasing in a ledger on PostgreSQL', makeHome);

  it('D9 another promoter, which has verified what was erased, forgets it and nothing else; a row that nobody signed erases nothing', async () => {
    const home = await makeHome();
    const place = { ...home.place, file: path.join(home.folder, 'other.sqlite') };
    const ledger = await home.open();
    await ledger.append(Array.from({ length: 12 }, (_, n) => numbered(author, n)));
    const { statement } = await ledger.entry(3);
    await ledger.close();
    const backup = await home.backup();
    const [again, other] = [await home.open(), await home.openAt(place)];
    await again.erase(await orderErasure(again, 0));
    await other.refresh();
    const subject = digestFromHex(statement.subject[0]!.digest.sha256);
    expect(await other.statementsAbout(subject)).toMatchObject([{ index: 3 }, { index: 10 }]);
    await expect(other.entry(0)).rejects.toMatchObject({ code: 'STATEMENT_ERASED' });
    await other.append([numbered(author, 200), numbered(author, 203)]);
    await again.append([numbered(author, 201)]);
    expect(await other.verify()).toMatchObject({ ok: true, problems: [] });
    // the owner of the tables hides an entry, and when that fails shows the log of yesterday: what was verified is still known
    const off = (sql: string): string => `ALTER TABLE envelope DISABLE TRIGGER ALL; ${sql}; ALTER TABLE envelope ENABLE TRIGGER ALL;
      ALTER TABLE envelope ENABLE ALWAYS TRIGGER envelope_frozen, ENABLE ALWAYS TRIGGER envelope_dense, ENABLE ALWAYS TRIGGER envelope_kept`;
    await home.database.sql(
      off('INSERT INTO erased(idx, erasure, size, line) SELECT 3, erasure, size, line FROM erased; DELETE FROM envelope WHERE idx = 3'),
    );
    for (const asked of [() => other.refresh(), () => again.append([numbered(author, 400)]), () => home.openAt(place)])
      await expect(asked()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    await Promise.all([other.close(), again.close()]);
    await home.restore(backup);
    await expect(home.openAt(place)).rejects.toMatchObject({ code: 'LOG_RESTORED' });
  });

  it('D8 no row can be changed, removed, put in between, or truncated, whatever the session says it is', async () => {
    const home = await makeHome();
    const ledger = await home.open();
    await ledger.append(Array.from({ length: 257 }, (_, n) => numbered(author, n)));
    await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
    for (const table of ['ledger', 'log_entry', 'envelope', 'hash_tile', 'log_commit', 'cosigned']) {
      const [column] = (
        await home.database.sql(
          `SELECT column_name FROM information_schema.columns WHERE table_name = '${table}' ORDER BY ordinal_position`,
        )
      ).map((row) => String(row['column_name']));
      const [before] = await home.database.sql(`SELECT count(*) FROM ${table}`);
      for (const sql of [
        `UPDATE ${table} SET ${column} = ${column}`,
        `UPDATE ${table} SET ${column} = ${column} WHERE false`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
        `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1`,
        `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1 ON CONFLICT DO NOTHING`,
        `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1 ON CONFLICT (${table === 'hash_tile' ? 'level, n' : column}) DO UPDATE SET ${column} = 7`,
        `MERGE INTO ${table} AS t USING ${table} AS s ON t.${column} = s.${column} WHEN MATCHED THEN DELETE`,
      ]) {
        for (const session of ['', 'SET session_replication_role = replica;']) {
          await expect(home.database.sql(session + sql), session + sql).rejects.toThrow('append-only');
        }
      }
      expect(await home.database.sql(`SELECT count(*) FROM ${table}`)).toEqual([before]);
    }
    // a temporary table of the same name hides nothing from a guard
    await expect(
      home.database.sql(
        "CREATE TEMP TABLE log_entry AS SELECT * FROM public.log_entry WHERE false; SET search_path = pg_temp; INSERT INTO public.log_entry(idx, statement, leaf) VALUES (0, repeat('x', 32)::bytea, 'x')",
      ),
    ).rejects.toThrow('append-only');
    expect(await ledger.verify()).toMatchObject({ ok: true });
    await ledger.close();
  });

  it.each([
    ['2', AS_2],
    ['3', AS_3],
    ['4', AS_4],
    ['5', AS_5],
    ['6', AS_6],
  ])('a database of version %s is refused to who only reads, and brought up to date by who writes', async (version, sql) => {
    const home = await makeHome();
    const [site, before] = [testKey(), await home.open()];
    await before.append(oneOfEach(author, site));
    await before.saveCosigned(home.cosigned(await before.checkpointNote()));
    await before.close();
    await home.database.sql(sql);
    const readOnly = (): Promise<Ledger> => openLedger({ ...home.place, origin: ORIGIN, now: () => NOW, readOnly: true });
    await expect(readOnly()).rejects.toMatchObject({
      code: 'LEDGER_MISMATCH',
      message: expect.stringContaining(`got ${version}`) as string,
      hint: expect.stringContaining('sealane publish --refresh') as string,
    });
    // promoters that share it start together after an update
    const [ledger, other] = await Promise.all([home.open(), home.open()]);
    expect(await ledger.verify()).toMatchObject({ ok: true, problems: [] });
    const size = await ledger.size();
    expect(await ledger.fleet('prod')).toMatchObject([{ site: 'shop-17', labels: { region: 'north' }, report: { event: 'installed' } }]);
    const parts = await home.database.sql('SELECT idx FROM component');
    expect(parts).toEqual([{ idx: '0' }]);
    await ledger.append([numbered(author, 100)]);
    await other.append([numbered(author, 101)]);
    for (const table of ['log_key', 'log_entry'])
      await expect(home.database.sql(`TRUNCATE ${table} CASCADE`), table).rejects.toThrow('append-only');
    await Promise.all([ledger.close(), other.close()]);
    const reader = await readOnly();
    expect(await reader.verify()).toMatchObject({ ok: true, size: size + 2 });
    await reader.close();
  });

  it.each([
    ['a trigger is gone', 'DROP TRIGGER envelope_frozen ON envelope', 'envelope_frozen', true],
    ['a trigger is switched off', 'ALTER TABLE cosigned DISABLE TRIGGER cosigned_dense', 'cosigned_dense', true],
    ['a trigger can be passed by', 'ALTER TABLE cosigned ENABLE TRIGGER cosigned_dense', 'cosigned_dense', true],
    [
      'a trigger calls something else',
      "CREATE OR REPLACE FUNCTION ledger_is_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS 'BEGIN RETURN NULL; END'",
      'envelope_frozen',
      true,
    ],
    ['a table forgets when the server dies', 'ALTER TABLE hash_tile SET UNLOGGED', 'hash_tile', false],
    ['a constraint is gone', 'ALTER TABLE log_entry DROP CONSTRAINT log_entry_statement_check', 'log_entry', false],
    ['an index is gone', 'DROP INDEX log_entry_statement', 'log_entry_statement', false],
    ['a rule swallows rows', 'CREATE RULE swallow AS ON INSERT TO receipt DO INSTEAD NOTHING', 'receipt', true],
    ['a policy hides rows', 'ALTER TABLE approval ENABLE ROW LEVEL SECURITY', 'approval', true],
    ['a table has rows of another', 'CREATE TABLE heir() INHERITS (log_commit)', 'log_commit', true],
    [
      'a trigger more is there',
      "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER more BEFORE INSERT ON approval FOR EACH ROW EXECUTE FUNCTION more()",
      'more',
      true,
    ],
    ['a column was added', 'ALTER TABLE cosigned ADD COLUMN more BIGINT', 'cosigned', false],
  ])('says where %s, and signs nothing more where rows are no longer kept', async (_, sql, name, refuses) => {
    const home = await makeHome();
    const ledger = await home.open();
    await ledger.append(oneOfEach(author, testKey()));
    expect((await ledger.verify()).problems).toEqual([]);
    await ledger.close();
    await home.database.sql(sql);
    const { ok, problems } = await fsckLedger(home.place);
    expect(ok).toBe(false);
    expect(problems).toContainEqual(expect.objectContaining({ where: 'schema', key: name }));
    if (refuses) await expect(home.open()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
  });

  it('D8 runs nothing of a stranger who may make functions beside its tables, or could once', async () => {
    const home = await makeHome();
    const ledger = await home.open();
    await ledger.append([numbered(author, 1)]);
    await ledger.close();
    const [stranger, { name, sql }] = [`stranger_${made}`, home.database];
    await sql(`CREATE ROLE ${stranger} LOGIN`);
    const exposed = async (got: string): Promise<void> => {
      const code = { code: 'LEDGER_EXPOSED', message: expect.stringContaining(got) as string };
      const readOnly = { ...home.place, origin: ORIGIN, now: () => NOW, readOnly: true } as const;
      for (const opened of [() => home.open(), () => openLedger(readOnly), () => fsckLedger(home.place)])
        await expect(opened()).rejects.toMatchObject(code);
      await expect(withPublishLock({ ...home.place, file: 'publish.lock' }, () => Promise.resolve())).rejects.toMatchObject(code);
    };
    await sql('GRANT CREATE ON SCHEMA public TO PUBLIC');
    await exposed('PUBLIC');
    await sql(`REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO ${stranger}`);
    await exposed(stranger);
    // each fits a call of ours better than the true one; what it does, it does as the promoter
    const loot = "LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE IF NOT EXISTS public.loot(role text); RETURN ''; END $$";
    const words = [`public.obj_description(regclass, name)`, `public.array_to_string(text[], text)`];
    const client = new pg.Client({ host: server.socket, user: stranger, database: name });
    await client.connect();
    for (const each of words) await client.query(`CREATE FUNCTION ${each} RETURNS text ${loot}`);
    await client.end();
    await sql(`REVOKE CREATE ON SCHEMA public FROM ${stranger}`);
    await exposed(`which ${stranger} made`);
    expect(await sql("SELECT to_regclass('public.loot') AS loot")).toEqual([{ loot: null }]);
    for (const each of words) await sql(`DROP FUNCTION ${each}`);
    await (await home.open()).close();
  });

  it('D8 a promoter whose role does not own the tables logs and erases, and takes off no guard', async () => {
    const [home, role] = [await makeHome(), `promoter_${made}`];
    await (await home.open()).close();
    const { name, sql } = home.database;
    await sql(
      `CREATE ROLE ${role} LOGIN; GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO ${role}; GRANT UPDATE ON publish_fence TO ${role}`,
    );
    const ledger = await home.openAt({ ...home.place, database: { ...home.place.database!, user: role } });
    await ledger.append(Array.from({ length: 12 }, (_, n) => numbered(author, n)));
    await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
    expect(await ledger.erase(await orderErasure(ledger, 3))).toEqual([3]);
    expect(await ledger.verify()).toMatchObject({ ok: true, problems: [] });
    await ledger.close();
    const client = new pg.Client({ host: server.socket, user: role, database: name });
    await client.connect();
    for (const [words, refusal] of [
      ['ALTER TABLE log_entry DISABLE TRIGGER ALL', 'must be owner'],
      ['DROP TRIGGER log_entry_frozen ON log_entry', 'must be owner'],
      ["SET session_replication_role = 'replica'", 'permission denied'],
      ['TRUNCATE log_entry CASCADE', 'permission denied'],
      ['UPDATE log_entry SET leaf = leaf', 'permission denied'],
      ['DELETE FROM log_entry', 'append-only'],
      ['CREATE FUNCTION public.more() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', 'permission denied'],
    ] as const)
      await expect(client.query(words), words).rejects.toThrow(refusal);
    await client.end();
  });

  it('names a row that was edited by the owner of the tables, and a leaf whose envelope is gone', async () => {
    const home = await makeHome();
    const ledger = await home.open();
    for (const pair of [
      [0, 1],
      [2, 3],
    ])
      await ledger.append(pair.map((n) => numbered(author, n)));
    await ledger.close();
    const off = (table: string, sql: string): string =>
      `ALTER TABLE ${table} DISABLE TRIGGER ALL; ${sql}; ALTER TABLE ${table} ENABLE TRIGGER ALL; ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_frozen, ENABLE ALWAYS TRIGGER ${table}_dense`;
    await home.database.sql(
      `${off('envelope', 'DELETE FROM envelope WHERE idx = 2')}; ALTER TABLE envelope ENABLE ALWAYS TRIGGER envelope_kept`,
    );
    await home.database.sql(off('log_commit', "UPDATE log_commit SET committed_at = '2020-01-01T00:00:00Z' WHERE size = 2"));
    const { problems, gone } = await fsckLedger(home.place);
    expect(gone).toMatchObject([{ logIndex: 2 }]);
    expect(problems.map(({ where, key }) => `${where} ${key}`)).toEqual(['commit 2', 'entry 2']);
  });

  it.each(['fsync=off', 'full_page_writes=off'])('refuses a server with %s, before and after it was opened', async (setting) => {
    const home = await makeHome();
    const ledger = await home.open();
    await ledger.append([numbered(author, 1)]);
    const [name, value] = setting.split('=');
    await home.database.sql(`ALTER SYSTEM SET ${name} = ${value}`);
    await home.database.sql('SELECT pg_reload_conf()');
    try {
      await expect.poll(() => home.database.sql(`SHOW ${name}`)).toEqual([{ [name!]: value }]);
      await expect(ledger.append([numbered(author, 2)])).rejects.toMatchObject({ code: 'LEDGER_NOT_DURABLE' });
      await expect(home.open()).rejects.toMatchObject({ code: 'LEDGER_NOT_DURABLE' });
      expect((await fsckLedger(home.place)).problems).toEqual([
        { where: 'postgres', key: 'integrity', expected: 'ok', actual: `${name} is ${value}` },
      ]);
    } finally {
      await home.database.sql('ALTER SYSTEM RESET ALL');
      await home.database.sql('SELECT pg_reload_conf()');
      await expect.poll(() => home.database.sql(`SHOW ${name}`)).toEqual([{ [name!]: 'on' }]);
    }
    expect(await ledger.append([numbered(author, 2)])).toMatchObject([{ index: 1 }]);
    await ledger.close();
  });

  it('D8 flushes commits whatever the role and the database are set to', async () => {
    const home = await makeHome();
    await home.database.sql(`ALTER DATABASE ${home.database.name} SET synchronous_commit = off`);
    const ledger = await home.open();
    await ledger.append([numbered(author, 1)]);
    expect(await home.database.sql('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'off' }]);
    await ledger.close();
  });

  it('D8 a server killed in the middle of appends loses nothing that was acknowledged, life after life', async () => {
    const home = await makeHome();
    const acknowledged = new Map<number, string>();
    let count = 0;
    for (let life = 0; life < 4; life += 1) {
      const ledger = await home.open();
      let failed: unknown;
      const appending = (async () => {
        while (failed === undefined) {
          const statement = numbered(author, (count += 1));
          const before = Date.now();
          try {
            for (const { index, statementDigest } of await ledger.append([statement])) acknowledged.set(index, statementDigest);
          } catch (error) {
            failed = error;
          }
          if (Date.now() - before > 60_000) break;
        }
      })();
      await expect.poll(() => acknowledged.size, { interval: 1 }).toBeGreaterThan(life * 20 + 15 + life);
      await server.kill();
      await appending;
      expect(failed).toMatchObject({ code: 'LEDGER_UNREACHABLE' });
      await server.start();
      // the ledger that was open finds the server again
      const [again] = await ledger.append([numbered(author, count)]);
      acknowledged.set(again!.index, again!.statementDigest);
      await ledger.close();
      await expectKept(home, acknowledged);
    }
  });

  it('D8 a connection that is cut between any two statements fails by its code and leaves all or nothing; the same call again goes on', async () => {
    const home = await makeHome();
    const ledger = await home.open();
    await ledger.append(Array.from({ length: 255 }, (_, n) => numbered(author, n)));
    const acknowledged = new Map<number, string>();
    const cut = (): Promise<unknown> =>
      server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${home.database.name}'`);
    let failures = 0;
    for (let round = 0; round < 25; round += 1) {
      const statement = numbered(author, 1000 + round);
      const appending = ledger.append([statement]).then(
        ([result]) => result!,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'LEDGER_UNREACHABLE' });
          failures += 1;
          return undefined;
        },
      );
      // another moment in each round
      for (let spin = 0; spin < round * 40; spin += 1) await new Promise(setImmediate);
      await cut();
      const first = await appending;
      const [second] = await retried(() => ledger.append([statement]));
      expect(first === undefined || first.index === second!.index).toBe(true);
      acknowledged.set(second!.index, second!.statementDigest);
    }
    expect(failures).toBeGreaterThan(0);
    await ledger.close();
    await expectKept(home, acknowledged);
  });

  it('D8 many writers, each with connections of its own, make one history without a gap', async () => {
    const home = await makeHome();
    const ledgers = [await home.open()];
    while (ledgers.length < 4) ledgers.push(await home.open());
    const places = await Promise.all(
      ledgers.flatMap((ledger, writer) => Array.from({ length: 15 }, (_, n) => ledger.append([numbered(author, writer * 100 + n)]))),
    );
    expect(places.map(([place]) => place!.index).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    await expectKept(home, new Map());
    for (const ledger of ledgers) await ledger.close();
  });
});

describe.skipIf(programs === undefined)('the publish lock in PostgreSQL (skipped without initdb, postgres, pg_basebackup)', () => {
  const open = (home: TestHome, fence: number | undefined): Promise<Ledger> =>
    openLedger({
      ...home.place,
      origin: ORIGIN,
      logSigner: home.signer,
      now: () => NOW,
      ...(fence === undefined ? {} : { fence: () => fence }),
    });
  const lock = (place: LedgerPlace): { file: string; database: NonNullable<LedgerPlace['database']> } => ({
    file: `${place.file}.lock`,
    database: place.database!,
  });

  async function withLedger(): Promise<PostgresHome> {
    const home = await makeHome();
    await (await home.open()).close();
    return home;
  }

  it('D8 the publish lock is one holder’s at a time, whoever has it, and is free when that one ends', async () => {
    const home = await withLedger();
    const order: string[] = [];
    await withPublishLock(lock(home.place), async () => {
      await expect(withPublishLock(lock(home.place), () => Promise.resolve(), { waitMs: 50 })).rejects.toMatchObject({ code: 'LOCK_BUSY' });
      order.push('first');
    });
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        withPublishLock(lock(home.place), async () => {
          order.push(`${name} in`);
          await new Promise((resolve) => setTimeout(resolve, 20));
          order.push(`${name} out`);
        }),
      ),
    );
    expect(order.map((word) => word.split(' ')[1]).join()).toBe(',in,out,in,out,in,out');
    await expect(withPublishLock(lock(home.place), () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await withPublishLock(lock(home.place), ({ fence }) => Promise.resolve(fence))).toBe(6);
  });

  it('D8 who takes the publish lock again and again finds another before it, who waits', async () => {
    const home = await withLedger();
    const locks = await openPublishLock(lock(home.place));
    const turns: string[] = [];
    let other: Promise<unknown> = Promise.resolve();
    await locks.hold(async () => {
      other = withPublishLock(lock(home.place), () => Promise.resolve(turns.push('other')));
      const waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND NOT granted";
      await vi.waitFor(async () => expect(await home.database.sql(waiting)).toMatchObject([{ count: '1' }]), 20_000);
    });
    await locks.giveWay();
    await locks.hold(() => Promise.resolve(turns.push('again')));
    await other;
    expect(turns).toEqual(['other', 'again']);
    await locks.close();
  });

  it('D8 a holder whose session the server ended logs nothing more once another holds the lock', async () => {
    const home = await withLedger();
    await expect(
      withPublishLock(lock(home.place), async (held) => {
        const ledger = await open(home, held.fence);
        expect(await ledger.append([numbered(author, 1)])).toMatchObject([{ index: 0 }]);
        await held.expectHeld();
        // as the server does when the lease is over
        await home.database.sql(
          "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objid = 2 AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        await withPublishLock(lock(home.place), async (next) => {
          expect(next.fence).toBe((held.fence ?? 0) + 1);
          const other = await open(home, next.fence);
          await expect(ledger.append([numbered(author, 2)])).rejects.toMatchObject({ code: 'LOCK_LOST' });
          await expect(ledger.rebuildProjection()).rejects.toMatchObject({ code: 'LOCK_LOST' });
          expect(await other.append([numbered(author, 3)])).toMatchObject([{ index: 1 }]);
          await other.close();
        });
        await expect(held.expectHeld()).rejects.toMatchObject({ code: 'LOCK_LOST' });
        expect(await ledger.size()).toBe(2);
        await ledger.close();
      }),
    ).resolves.toBeUndefined();
  });
});

async function expectKept(home: TestHome, acknowledged: ReadonlyMap<number, string>): Promise<void> {
  const ledger = await home.open();
  for (const [index, digest] of acknowledged) expect((await ledger.entry(index)).statementDigest).toBe(digest);
  expect(await ledger.verify()).toMatchObject({ ok: true, problems: [] });
  await ledger.close();
}

/** Once more where the connections of the pool were all cut. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}
