/**
 * T15 on PostgreSQL: a superuser on the database that promoters share. Its rows are what he makes of them, guards taken off and put back; he has no
 * key, and not the disk of any promoter.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Postgres, postgresPrograms, startPostgres } from '../support/postgres.js';
import { type Answer, runJson, type Server } from '../support/run.js';
import { api, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';

const programs = postgresPrograms();

let dir: string;
let server: Postgres;
let lane: TestLane;
let release: string;
/** A promoter that was away when the last statements were logged. */
let away: string;
/** Places in the log: bob's veto, and alice's approval two before it. */
let veto: number;
let approval: number;
/** What the gates say while nobody touches anything. */
let before: Answer['json'];
let issuer: Issuer;
let service: Server;

/** 1.0.0 is in edge-preprod, alice and bob approved it for prod; then a test failed, bob took his word back, and it was revoked. */
beforeAll(async () => {
  if (programs === undefined) return;
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-t15-database-'));
  server = await startPostgres(programs);
  lane = await makeLane(dir, { database: (await server.createDatabase('lane')).json });
  release = await lane.release('1.0.0');
  await lane.promote(release, 'edge-preprod');
  const approved = await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);
  approval = approved.statements[0].logIndex as number;
  await lane.sealane(['approve', release, '--to', 'prod', '--key', 'bob']);
  away = path.join(dir, 'away');
  cpSync(lane.home, away, { recursive: true, filter: (from) => from !== lane.lane });
  await addFailed();
  const rejected = await lane.sealane(['reject', release, '--to', 'prod', '--key', 'bob', '--reason', 'a leak']);
  veto = rejected.statements[0].logIndex as number;
  await lane.sealane(['revoke', release, '--reason', 'leaks']);
  // the refusal is logged once: none of what follows adds anything
  before = await lane.sealane(['promote', release, '--to', 'prod'], 3);
  await lane.sealane(['publish', '--refresh']);
  await server.sql('CREATE DATABASE pristine TEMPLATE lane');
  issuer = await startIssuer(dir, 'github', GITHUB_CLAIMS);
  service = await startService(lane, serviceYaml({ github: issuer }));
});

afterAll(async () => {
  if (programs === undefined) return;
  await Promise.all([service.stop(), issuer.stop(), lane.stop()]);
  await server.remove();
  rmSync(dir, { recursive: true, force: true });
});

const afresh = async (): Promise<void> => {
  await server.sql('DROP DATABASE lane WITH (FORCE)');
  await server.sql('CREATE DATABASE lane TEMPLATE pristine');
};

/** Every guard off, and after `sql` on again as it was. */
const GUARDS_ON =
  "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tgname, tgrelid::regclass AS t FROM pg_trigger WHERE NOT tgisinternal LOOP EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', r.t, r.tgname); END LOOP; END $$;";

async function edit(sql: string): Promise<void> {
  const database = server.database('lane');
  const tables = (await database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).map((row) => String(row['tablename']));
  const all = (what: string): string => tables.map((table) => `ALTER TABLE ${table} ${what} TRIGGER ALL;`).join(' ');
  await database.sql(`${all('DISABLE')} ${sql}; ${all('ENABLE')} ${GUARDS_ON}`);
}

/** A test that failed: no witness is asked to see it at once. */
async function addFailed(): Promise<void> {
  const failed = path.join(dir, 'failed.xml');
  const cases = '<testcase name="one"><failure/></testcase>';
  writeFileSync(failed, `<testsuites><testsuite name="readings" tests="1" failures="1">${cases}</testsuite></testsuites>`);
  await lane.sealane(['evidence', 'add', release, '--tests', failed, '--hardware', lane.hardware, '--key', 'lab']);
}

const promoteAt = (home: string): Promise<Answer> =>
  runJson('sealane', ['promote', release, '--to', 'prod', '--home', home, '--lane', lane.lane]);
const planAt = (home: string): Promise<Answer> =>
  runJson('sealane', ['plan', release, '--to', 'prod', '--home', home, '--lane', lane.lane]);
const served = async () => await api(service, `GET /api/v1/releases/${release}/plan?to=prod`, { token: await issuer.token() });

/** Table → what is done to its rows so that the veto, the failed test or the revocation is not found any more, or is found as something else. */
const SWAP = (table: string, column: string): string =>
  `ALTER TABLE ${table} DROP CONSTRAINT ${table}_${column}_key; UPDATE ${table} SET ${column} = (SELECT t.${column} FROM ${table} t WHERE t.id = (SELECT max(id) + 1 FROM ${table}) - ${table}.id);
    ALTER TABLE ${table} ADD CONSTRAINT ${table}_${column}_key UNIQUE(${column})`;
const CHANGES: Readonly<Record<string, string>> = {
  artifact: SWAP('artifact', 'digest'),
  predicate_type: SWAP('predicate_type', 'uri'),
  key_seen: SWAP('key_seen', 'key_id'),
  statement: 'UPDATE statement SET key = 1, predicate_type = 1',
  subject: 'UPDATE subject SET artifact = 1000 + artifact',
  release: "UPDATE release SET artifact = 1, name = 'other'",
  component: 'UPDATE component SET artifact = 1000 + artifact',
  decision: "UPDATE decision SET result = 'PASSED', stage = 'prod', counter = 9",
  approval: "UPDATE approval SET verdict = 'approve'",
  test_result: "UPDATE test_result SET result = 'PASSED'",
  revocation: 'UPDATE revocation SET artifact = 1, floor = NULL',
  site_record: "UPDATE site_record SET stage = 'dev'",
  receipt: "UPDATE receipt SET event = 'installed'",
  document: "UPDATE document SET body = '{}'",
};

describe.skipIf(programs === undefined)(
  'T15 a superuser on the database of the ledger (skipped without initdb, postgres, pg_basebackup)',
  () => {
    it.each(Object.entries(CHANGES))('T15 changes nothing that is decided by editing %s, nor by emptying it', async (table, change) => {
      for (const sql of [change, `TRUNCATE ${table} CASCADE`]) {
        await edit(sql);
        const { exit, json } = await served();
        expect({ exit, checks: json.checks }, sql).toEqual({ exit: '3', checks: before.checks });
      }
    });

    it('T15 changes nothing by all of that together, and audit verify names what is gone', async () => {
      expect((await promoteAt(lane.home)).json).toEqual(before);
      expect(await planAt(lane.home)).toMatchObject({ exit: 3, json: { checks: before.checks } });
      expect((await runJson('sealane', ['audit', 'verify', '--home', lane.home])).exit).toBe(4);
    });

    it.each([
      ['what the veto says is gone', () => `DELETE FROM envelope WHERE idx = ${veto}`],
      ['the veto is gone', () => `DELETE FROM envelope WHERE idx = ${veto}; DELETE FROM log_entry WHERE idx = ${veto}`],
      [
        'the approval stands in the place of the veto',
        () =>
          `UPDATE envelope SET payload = (SELECT payload FROM envelope WHERE idx = ${approval}) WHERE idx = ${veto};
          UPDATE log_entry SET (statement, leaf) = (SELECT statement, leaf FROM log_entry WHERE idx = ${approval}) WHERE idx = ${veto}`,
      ],
      ['the veto says something else', () => `UPDATE envelope SET payload = payload || '\\x20'::bytea WHERE idx = ${veto}`],
      [
        'the leaf of the veto is another',
        () => `UPDATE log_entry SET leaf = (SELECT leaf FROM log_entry WHERE idx = ${approval}) WHERE idx = ${veto}`,
      ],
      ['checkpoints of witnesses are gone', () => 'DELETE FROM cosigned WHERE seq = (SELECT max(seq) FROM cosigned)'],
      [
        'a commit was added that nobody signed',
        () =>
          `INSERT INTO log_commit SELECT size + 1, size, root, cosigned, committed_at, checkpoint_line, commit_line FROM log_commit ORDER BY size DESC LIMIT 1`,
      ],
      [
        'the log was handed over to a key of his own',
        () =>
          `INSERT INTO log_key VALUES (1, 1, 0, (SELECT vkey FROM ledger), '2026-01-01T00:00:00Z', 'x'); INSERT INTO log_key VALUES (2, 2, 0, (SELECT vkey FROM ledger), '2026-01-01T00:00:00Z', 'x')`,
      ],
    ])('T15 nothing is decided when %s', async (_, sql) => {
      await afresh();
      await edit(sql());
      const { exit, json } = await promoteAt(lane.home);
      expect({ exit, code: json.error?.code }).toEqual({ exit: 4, code: 'LEDGER_DAMAGED' });
    });

    it('T15 nothing is decided by a promoter that was away and is shown other entries than were signed', async () => {
      const fresh = (): string => {
        const home = path.join(mkdtempSync(path.join(dir, 'away-')), 'home');
        cpSync(away, home, { recursive: true });
        return home;
      };
      await afresh();
      await edit(
        `DELETE FROM subject WHERE idx = ${veto}; DELETE FROM approval WHERE idx = ${veto}; DELETE FROM statement WHERE idx = ${veto}`,
      );
      expect(await planAt(fresh())).toMatchObject({ exit: 3, json: { checks: before.checks } });
      await afresh();
      await edit(`UPDATE envelope SET payload = (SELECT payload FROM envelope WHERE idx = ${approval}) WHERE idx = ${veto};
      UPDATE log_entry SET (statement, leaf) = (SELECT statement, leaf FROM log_entry WHERE idx = ${approval}) WHERE idx = ${veto}`);
      expect(await planAt(fresh())).toMatchObject({ exit: 4, json: { error: { code: 'LEDGER_DAMAGED' } } });
    });

    it('T15 nothing is decided on a log that was cut back, though no witness has seen what is gone', async () => {
      await afresh();
      await addFailed();
      const last = '(SELECT previous FROM log_commit ORDER BY size DESC LIMIT 1)';
      await edit(
        [
          ...Object.keys(CHANGES).map((table) => `TRUNCATE ${table} CASCADE`),
          `DELETE FROM envelope WHERE idx >= ${last}`,
          `DELETE FROM log_entry WHERE idx >= ${last}`,
          'DELETE FROM log_commit WHERE size = (SELECT max(size) FROM log_commit)',
        ].join('; '),
      );
      for (const answer of [await promoteAt(lane.home), await planAt(lane.home)])
        expect({ exit: answer.exit, code: answer.json.error?.code }).toEqual({ exit: 8, code: 'LOG_RESTORED' });
      expect((await served()).json.error.code).toBe('LOG_RESTORED');
      const { exit, json } = await runJson('sealane', ['ledger', 'fsck', '--home', lane.home]);
      expect({ exit, where: json.problems.map(({ where }: { where: string }) => where) }).toMatchObject({
        exit: 4,
        where: expect.arrayContaining(['verified']) as string[],
      });
    });
  },
);
