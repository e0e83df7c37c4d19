/** Row D9, as far as it is built: a ledger that was restored from an old copy signs nothing, says what to do, and `ledger fsck` says what is gone. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson, runJson } from '../support/run.js';
import { api, serviceYaml, startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let release: string;
let site: TestSite;
/** The folder of the ledger as it was before the last statements. */
let backup: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d9-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
  backup = path.join(dir, 'backup');
  cpSync(path.join(lane.home, 'ledger'), backup, { recursive: true });
  await lane.promote(release);
  await site.must(['update']);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A copy of the home whose ledger was restored: the database alone, or with all that lies beside it. */
function restored(files: readonly string[]): string {
  const home = path.join(mkdtempSync(path.join(dir, 'copy-')), 'home');
  cpSync(lane.home, home, { recursive: true, verbatimSymlinks: true });
  rmSync(path.join(home, 'ledger', 'ledger.sqlite-wal'), { force: true });
  rmSync(path.join(home, 'ledger', 'ledger.sqlite-shm'), { force: true });
  for (const file of files) cpSync(path.join(backup, file), path.join(home, 'ledger', file));
  return home;
}

it.each([
  ['the database, with the anchor as it is', ['ledger.sqlite']],
  ['the whole folder, with the lane as published', ['ledger.sqlite', 'ledger.sqlite.anchor']],
])('D9 a ledger restored from an old copy (%s) signs nothing and says what to do', async (_, files) => {
  const home = restored(files);
  for (const words of [
    ['promote', release, '--to', 'prod'],
    ['revoke', release, '--reason', 'broken'],
    ['publish', '--refresh'],
  ]) {
    const before = rowsOf(home);
    const answer = await runJson('sealane', [...words, '--home', home]);
    expect({ exit: answer.exit, code: answer.json.error?.code }, words.join(' ')).toEqual({ exit: 8, code: 'LOG_RESTORED' });
    expect(answer.json.error.hint).toMatch(/never sign again under this origin/);
    expect(rowsOf(home)).toEqual(before);
  }
});

it('D9 a service on a restored ledger takes no receipt: the site keeps it until somebody has seen to the ledger', async () => {
  const folder = path.join(dir, 'receipts');
  await site.must(['receipt', 'export', folder]);
  const body: unknown = JSON.parse(readFileSync(path.join(folder, readdirSync(folder)[0] ?? ''), 'utf8'));
  const yaml = serviceYaml({ github: { url: 'https://issuer.example' } });
  const home = restored(['ledger.sqlite', 'ledger.sqlite.anchor']);
  const before = rowsOf(home);
  for (const [place, status] of [
    [{ home }, 503],
    [lane, 201],
  ] as const) {
    const service = await startService(place, yaml);
    expect((await api(service, 'POST /api/v1/receipts', { body })).status).toBe(status);
    await service.stop();
  }
  expect(rowsOf(home)).toEqual(before);
});

/** What a log has signed: its commits. */
function rowsOf(home: string): unknown {
  const database = new Database(path.join(home, 'ledger', 'ledger.sqlite'), { readonly: true });
  try {
    return database.prepare('SELECT size, checkpoint_line FROM log_commit ORDER BY size').all();
  } finally {
    database.close();
  }
}

it('D9 B7 sites go on with a restored lane once it is signed above what they saw: it had been signed anew with nothing logged', async () => {
  const file = path.join(dir, 'backup.tar');
  await lane.sealane(['backup', '--out', file]);
  await lane.sealane(['publish', '--refresh']);
  await lane.sealane(['publish', '--refresh']);
  await site.must(['update']);
  const home = path.join(dir, 'again');
  const { published } = await expectJson('sealane', ['restore', file, '--home', home, '--lane', lane.lane]);
  expect(published).toMatchObject({ isAhead: false, isNewer: true });
  const lost = path.join(dir, 'lost');
  renameSync(lane.lane, lost);
  try {
    symlinkSync(path.join(home, 'lane'), lane.lane);
    await expectJson('sealane', ['publish', '--refresh', '--home', home]);
    const refused = await site.run(['update']);
    expect(refused).toMatchObject({ exit: 4, json: { reason: 'TRUST_ROLLBACK' } });
    // what it says has the version that is to be passed
    const [, seen] = /at version (\d+) or above/.exec(refused.json.checks[0].actual) ?? [];
    expect(Number(seen)).toBe(published.version);
    for (const none of ['0', '1e9', '-1', '99999999'])
      expect((await runJson('sealane', ['publish', '--above', none, '--home', home])).exit, none).toBe(2);
    await expectJson('sealane', ['publish', '--above', seen ?? '', '--home', home]);
    expect((await site.must(['update'])).outcome).toBe('unchanged');
    await expectJson('sealane', ['revoke', release, '--reason', 'broken', '--home', home]);
    const { checks } = await site.must(['update'], 3);
    expect(checks.find(({ verdict }: { verdict: string }) => verdict === 'fail')).toMatchObject({ id: 'revoked' });
  } finally {
    rmSync(lane.lane);
    renameSync(lost, lane.lane);
  }
});

it('D9 a ledger whose lane was lost too is stopped by the witness, which has seen more', async () => {
  const home = restored(['ledger.sqlite', 'ledger.sqlite.anchor']);
  rmSync(path.join(home, 'lane', 'log'), { recursive: true });
  const answer = await runJson('sealane', ['revoke', release, '--reason', 'broken', '--home', home]);
  expect({ exit: answer.exit, code: answer.json.error?.code }).toEqual({ exit: 8, code: 'LOG_RESTORED' });
});

it('D9 ledger fsck names each leaf whose envelope is gone, and a ledger behind its anchor', async () => {
  expect(await runJson('sealane', ['ledger', 'fsck', '--home', lane.home])).toMatchObject({
    exit: 0,
    json: { ok: true, gone: [], problems: [] },
  });
  const behind = await runJson('sealane', ['ledger', 'fsck', '--home', restored(['ledger.sqlite'])]);
  expect(behind).toMatchObject({ exit: 4, json: { ok: false, gone: [], problems: [{ where: 'anchor' }] } });
  const home = restored([]);
  const database = new Database(path.join(home, 'ledger', 'ledger.sqlite'));
  const kept = database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'envelope_kept'").pluck().get() as string;
  database.exec(`DROP TRIGGER envelope_kept; DELETE FROM envelope WHERE idx = 2; ${kept}`);
  database.close();
  const gone = await runJson('sealane', ['ledger', 'fsck', '--file', path.join(home, 'ledger', 'ledger.sqlite')]);
  expect(gone).toMatchObject({ exit: 4, json: { ok: false, gone: [{ logIndex: 2 }] } });
  expect(gone.json.problems).toMatchObject([{ where: 'entry', key: '2' }]);
});
