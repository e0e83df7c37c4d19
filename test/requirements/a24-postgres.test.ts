/** A24: two promoters with homes of their own on one PostgreSQL database and one lane act as one, whoever of them, or the database, is killed. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { ed25519NoteSigner, ledgerAt, openLedger } from '@sealane/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPrivateKey } from '../../packages/promoter/src/signers/key-file.js';
import { makeHome, runSealane } from '../../packages/promoter/src/testing/test-home.js';
import { killAt, standAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Database, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.js';
import { type Answer, expectJson, runJson } from '../support/run.js';
import { api, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';
import { PIPELINE } from './lane-model.js';
import { mixedIn, steps, Walk, type WalkedHome } from './lane-walk.js';

const programs = postgresPrograms();
const RUNS = Number(process.env['SEALANE_MODEL_RUNS'] ?? '1');

let dir: string;
let server: Postgres;
let database: Database;
let lane: TestLane;
/** The home of the second promoter: the same keys and database, a folder of its own, the lane of the first. */
let second: string;

beforeAll(async () => {
  if (programs === undefined) return;
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-two-promoters-'));
  server = await startPostgres(programs);
  database = await server.createDatabase('lane');
  lane = await makeLane(dir, { database: database.json });
  second = secondHome(lane.home);
});

afterAll(async () => {
  if (programs === undefined) return;
  await lane.stop();
  await server.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** A copy of a home without its lane and without what its own host remembers of the log. */
function secondHome(home: string): string {
  const copy = `${home}-2`;
  cpSync(home, copy, {
    recursive: true,
    filter: (from) => from !== path.join(home, 'lane') && !/\.(?:anchor|verified(?:-wal|-shm)?)$/.test(from),
  });
  return copy;
}

const there = (words: readonly string[]): readonly string[] => [...words, '--home', second, '--lane', lane.lane];
const atSecond = (words: readonly string[], exit = 0): Promise<Answer['json']> => expectJson('sealane', there(words), exit);

async function candidate(version: string): Promise<string> {
  const release = await lane.release(version);
  await lane.evidence(release);
  return release;
}

async function passedDecisions(release: string): Promise<readonly string[]> {
  expect((await atSecond(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
  const { decisions } = (await lane.sealane(['audit', 'trace', release])).answer;
  return (decisions as { stage: string; result: string; statement: string }[])
    .filter(({ stage, result }) => stage === 'dev' && result === 'PASSED')
    .map(({ statement }) => statement);
}

describe.skipIf(programs === undefined)('A24 two promoters on one PostgreSQL (skipped without initdb, postgres, pg_basebackup)', () => {
  it('A24 init keeps the ledger in the database that a file names, and no password anywhere', async () => {
    const file = path.join(lane.home, 'ledger', 'database.json');
    expect(readFileSync(file, 'utf8')).toBe(database.json);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(path.join(lane.home, 'ledger', 'ledger.sqlite'))).toBe(false);
    const release = await candidate('1.0.0');
    await lane.sealane(['promote', release, '--to', 'dev']);
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, problems: [], gone: [] });
    expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true });
    expect(await database.sql('SELECT count(*)::int AS count FROM decision')).toEqual([{ count: 1 }]);
    const bad = path.join(dir, 'bad.json');
    for (const change of [{ password: 'secret' }, { host: 'db.example' }, { port: 0 }, { tls: { verify: false } }]) {
      writeFileSync(bad, JSON.stringify({ ...JSON.parse(database.json), postgres: { ...JSON.parse(database.json).postgres, ...change } }));
      const answer = await runJson('sealane', ['init', path.join(dir, 'never'), '--database', bad]);
      expect(answer).toMatchObject({ exit: 2, json: { error: { code: 'CONFIG_INVALID' } } });
      expect(existsSync(path.join(dir, 'never', 'keys'))).toBe(false);
    }
  });

  it('A24 what one promoter did the other knows, and goes on from', async () => {
    const release = await candidate('2.0.0');
    const { statement } = await atSecond(['promote', release, '--to', 'dev']);
    expect((await lane.sealane(['channel', 'show', 'dev'])).groups).toMatchObject([{ release }]);
    expect(await lane.sealane(['promote', release, '--to', 'dev'])).toMatchObject({ decision: 'passed', statement });
    await lane.sealane(['promote', release, '--to', 'edge-preprod']);
    await atSecond(['revoke', release, '--reason', 'fails in the field']);
    expect(await lane.sealane(['plan', release, '--to', 'prod'], 3)).toMatchObject({ decision: 'refused' });
    expect(await passedDecisions(release)).toEqual([statement]);
  });

  it('A24 four callers of two promoters and two services at once get one decision at one place in the log', async () => {
    const release = await candidate('3.0.0');
    const github = await startIssuer(dir, 'github', GITHUB_CLAIMS);
    const yaml = serviceYaml({ github });
    writeFileSync(path.join(second, 'service.yaml'), yaml);
    const services = await Promise.all([
      startService(lane, yaml),
      startService({ home: second }, yaml, { env: { SEALANE_LANE: lane.lane } }),
    ]);
    try {
      const token = await github.token();
      const called = services.map(
        async (service) => (await api(service, `POST /api/v1/releases/${release}/promotions`, { token, body: { to: 'dev' } })).json,
      );
      const answers = await Promise.all([
        ...called,
        lane.sealane(['promote', release, '--to', 'dev']),
        atSecond(['promote', release, '--to', 'dev']),
      ]);
      for (const answer of answers)
        expect(answer).toMatchObject({ decision: 'passed', statement: answers[0].statement, logIndex: answers[0].logIndex });
      expect(await passedDecisions(release)).toEqual([answers[0].statement]);
    } finally {
      await Promise.all([...services.map((service) => service.stop()), github.stop()]);
    }
  });

  it.each(['ledger:rows-written', 'ledger:committed', 'promote:decision-logged', 'publish:snapshot-written'])(
    'A24 one promoter killed at %s, the other takes the lock at once and resumes its decision',
    async (point) => {
      const release = await candidate(`4.0.${['r', 'c', 'd', 's'][point.length % 4]}${point.length}`);
      await killAt(point, 'sealane', ['promote', release, '--to', 'dev', '--home', lane.home]);
      const { decision, statement } = await atSecond(['promote', release, '--to', 'dev']);
      expect(decision).toBe('passed');
      expect(await passedDecisions(release)).toEqual([statement]);
    },
  );

  it('A24 a promoter that stood still loses the lock to the other when its lease is over, and logs and publishes nothing when it wakes up', async () => {
    const release = await candidate('5.0.0');
    const words = ['promote', release, '--to', 'dev', '--home', lane.home];
    const still = await standAt('promote:decision-logged', 'sealane', words, path.join(dir, 'touched'));
    const { decision, statement } = await atSecond(['promote', release, '--to', 'dev']);
    expect(decision).toBe('passed');
    const before = await database.sql('SELECT (SELECT max(size) FROM log_commit) AS size, (SELECT count(*) FROM cosigned) AS cosigned');
    expect(await still.goOn()).toMatchObject({ exit: 5, json: { error: { code: 'LOCK_LOST' } } });
    expect(await database.sql('SELECT (SELECT max(size) FROM log_commit) AS size, (SELECT count(*) FROM cosigned) AS cosigned')).toEqual(
      before,
    );
    expect(await passedDecisions(release)).toEqual([statement]);
  });

  it.each(['ledger:rows-written', 'ledger:committed', 'promote:decision-witnessed'])(
    'A24 the database killed when a promotion was at %s: a clear error, and the same command goes on when it is back',
    async (point) => {
      const release = await candidate(`6.0.${point.length}`);
      const words = ['promote', release, '--to', 'dev', '--home', lane.home];
      const still = await standAt(point, 'sealane', words, path.join(dir, `touched-${point.length}`));
      await server.kill();
      const answer = await still.goOn();
      // what was left to do needed no database, or said that there is none
      if (answer.exit !== 0)
        expect(answer).toMatchObject({
          exit: expect.toSatisfy((exit) => exit === 6 || exit === 5) as number,
          json: { error: { code: expect.stringMatching(/^(LEDGER_UNREACHABLE|LOCK_LOST)$/) as string } },
        });
      expect(await runJson('sealane', there(['promote', release, '--to', 'dev']))).toMatchObject({
        exit: 6,
        json: { error: { code: 'LEDGER_UNREACHABLE' } },
      });
      await server.start();
      const { decision, statement } = await atSecond(['promote', release, '--to', 'dev']);
      expect(decision).toBe('passed');
      expect(await passedDecisions(release)).toEqual([statement]);
    },
  );

  it('A24 a service goes on when its database is back', async () => {
    const release = await candidate('7.0.0');
    const github: Issuer = await startIssuer(dir, 'github', GITHUB_CLAIMS);
    const service = await startService(lane, serviceYaml({ github }));
    try {
      const token = await github.token();
      const promote = () => api(service, `POST /api/v1/releases/${release}/promotions`, { token, body: { to: 'dev' } });
      await api(service, `GET /api/v1/releases/${release}/plan?to=dev`, { token });
      await server.kill();
      const failed = await promote();
      expect({ exit: failed.exit, code: failed.json.error.code }).toEqual({ exit: '6', code: 'LEDGER_UNREACHABLE' });
      await server.start();
      expect((await promote()).json).toMatchObject({ decision: 'passed' });
    } finally {
      await Promise.all([service.stop(), github.stop()]);
    }
  });

  it(
    'A24 no sequence of commands, retries, crashes or concurrent callers of two promoters skips a stage or doubles a decision',
    { timeout: 240_000 * (RUNS + 1) },
    async () => {
      let walked = 0;
      await fc.assert(
        fc.asyncProperty(steps, fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), async (random, places) => {
          const home = await twoHomes(await server.createDatabase(`walk_${walked}`));
          try {
            const walk = new Walk(home);
            await walk.begin();
            for (const each of mixedIn(random, places)) await walk.take(each);
            await walk.expectChannels();
            await walk.expectLedger();
            walked += 1;
          } finally {
            await home.stop();
          }
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      expect(walked).toBe(RUNS);
    },
  );
});

/** A lane whose every next command is run by the other one of two promoters. */
async function twoHomes(empty: Database): Promise<WalkedHome & { stop(): Promise<void> }> {
  const made = await makeHome(PIPELINE);
  const file = path.join(made.home, 'ledger', 'ledger.sqlite');
  for (const name of ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm'])
    rmSync(path.join(made.home, 'ledger', name), { force: true });
  writeFileSync(path.join(made.home, 'ledger', 'database.json'), empty.json, { mode: 0o600 });
  const signer = ed25519NoteSigner('lane.example', readPrivateKey(path.join(made.home, 'keys', 'log.pem')).key);
  await (await openLedger({ ...ledgerAt(file), origin: 'lane.example', logSigner: signer, now: () => '2026-11-24T10:00:00Z' })).close();
  const other = secondHome(made.home);
  let turn = 0;
  const run: WalkedHome['run'] = (words) => {
    turn += 1;
    const where = turn % 2 === 0 ? ['--home', made.home] : ['--home', other, '--lane', path.join(made.home, 'lane')];
    return runSealane(made.dir, [...words, ...where]);
  };
  const sealane: WalkedHome['sealane'] = async (words, exit = 0) => {
    const answer = await run(words);
    if (answer.exit !== exit) throw new Error(`run sealane ${words.join(' ')}: expected exit ${exit}, got ${answer.exit}\n${answer.talk}`);
    return answer.json;
  };
  return { ...made, run, sealane, stop: () => made.stop() };
}
