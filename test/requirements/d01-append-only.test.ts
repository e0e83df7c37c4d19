/** Row D1: whoever holds an old checkpoint sees any edit of the ledger, and of the published log. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, runJson } from '../support/run.js';

let dir: string;
let lane: TestLane;
/** The home as it was, and a checkpoint that somebody kept since. */
let early: string;
let kept: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d1-'));
  lane = await makeLane(dir);
  const release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
  early = path.join(dir, 'early');
  cpSync(lane.home, early, { recursive: true });
  await lane.promote(release, 'edge-preprod');
  kept = path.join(dir, 'kept.checkpoint');
  cpSync(path.join(lane.lane, 'log', 'checkpoint'), kept);
  await lane.promote(await lane.release('1.1.0'), 'dev');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

function copyOf(home: string): string {
  const copy = mkdtempSync(path.join(dir, 'copy-'));
  cpSync(home, copy, { recursive: true });
  return copy;
}

const verify = (home: string): Promise<Answer> => runJson('sealane', ['audit', 'verify', '--home', home, '--checkpoint', kept]);

/** An answer that is not ok (4) and names the place. */
function expectNamed({ exit, json }: Answer, where: string, key: string | RegExp): void {
  expect(exit).toBe(4);
  expect(json.answer.ok).toBe(false);
  const keys = json.answer.problems
    .filter((problem: { where: string }) => problem.where === where)
    .map((problem: { key: string }) => problem.key);
  expect(keys, JSON.stringify(json.answer.problems)).toContainEqual(typeof key === 'string' ? key : expect.stringMatching(key));
}

it('D1 the true ledger extends the checkpoint that was kept', async () => {
  expect(await verify(lane.home)).toMatchObject({ exit: 0, json: { answer: { ok: true, problems: [] } } });
});

describe('D1 an edited row', () => {
  const edits: readonly (readonly [what: string, sql: string, where: string, key: string])[] = [
    [
      'a statement rewritten',
      "UPDATE envelope SET payload = CAST(replace(CAST(payload AS TEXT), 'PASSED', 'FAILED') AS BLOB) WHERE idx = 2",
      'entry',
      '2',
    ],
    ['an entry dropped', 'DELETE FROM envelope WHERE idx = 1; DELETE FROM log_entry WHERE idx = 1', 'entry', '1'],
    [
      'two entries exchanged',
      'UPDATE log_entry SET idx = -1 WHERE idx = 0; UPDATE log_entry SET idx = 0 WHERE idx = 1; UPDATE log_entry SET idx = 1 WHERE idx = -1',
      'entry',
      '0',
    ],
    ['a decision’s verdict in the projection', "UPDATE decision SET result = 'FAILED'", 'decision', ''],
    ['a time', "UPDATE log_commit SET committed_at = '2020-01-01T00:00:00Z' WHERE previous = 0", 'commit', ''],
    ['a cosigned checkpoint dropped', 'DELETE FROM cosigned WHERE seq = 0', 'cosigned', '0'],
  ];

  it.each(edits)('is found: %s', async (_, sql, where, key) => {
    const home = copyOf(lane.home);
    const database = new Database(path.join(home, 'ledger', 'ledger.sqlite'));
    database.pragma('foreign_keys = OFF');
    const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as {
      name: string;
      sql: string;
    }[];
    for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
    database.exec(sql);
    for (const trigger of triggers) database.exec(trigger.sql);
    database.close();
    expectNamed(await verify(home), where, key === '' ? /^\d/ : key);
  });
});

it('D1 a log that was cut back to what it was, whole and sound in itself, is found by the checkpoint alone', async () => {
  expect((await runJson('sealane', ['audit', 'verify', '--home', early])).exit).toBe(0);
  expectNamed(await verify(early), 'checkpoint', /^\d+$/);
});

it('D1 an edited file of the published log is found and named', async () => {
  const home = copyOf(lane.home);
  const log = path.join(home, 'lane', 'log');
  const size = readFileSync(path.join(log, 'checkpoint'), 'utf8').split('\n')[1] ?? '';
  for (const name of [`tile/0/000.p/${size}`, `tile/entries/000.p/${size}`, 'checkpoint']) {
    const bytes = readFileSync(path.join(log, name));
    const bent = Buffer.from(bytes);
    bent[Math.floor(bytes.length / 2)]! ^= 1;
    writeFileSync(path.join(log, name), bent);
    expectNamed(await verify(home), 'log-file', name);
    rmSync(path.join(log, name));
    if (name !== 'checkpoint') expectNamed(await verify(home), 'log-file', name);
    writeFileSync(path.join(log, name), bytes);
  }
  expect((await verify(home)).exit).toBe(0);
});

/** The files of a copied lane that anybody reads: what newer ones have replaced is taken away first. */
async function currentFiles(home: string): Promise<readonly string[]> {
  const all = (): readonly string[] =>
    readdirSync(path.join(home, 'lane'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(path.join(home, 'lane', name)).isFile(),
    );
  for (const name of all()) utimesSync(path.join(home, 'lane', name), 1, 1);
  expect(await runJson('sealane', ['gc', '--delete', '--home', home])).toMatchObject({ exit: 0 });
  // nobody signs what an image is called in a layout; it is fetched by the digest that a release names
  return all().filter((name) => !['content/index.json', 'content/oci-layout'].includes(name));
}

it('D1 a byte of any file of the lane that is current is found', async () => {
  const home = copyOf(lane.home);
  const files = await currentFiles(home);
  for (const part of ['trust/metadata/', 'trust/targets/channel/', 'trust/targets/policy/', 'content/blobs/', 'log/tile/'])
    expect(files.filter((name) => name.startsWith(part)).length, part).toBeGreaterThan(1);
  const unseen: string[] = [];
  for (const [n, name] of files.entries()) {
    const file = path.join(home, 'lane', name);
    const bytes = readFileSync(file);
    const bent = Buffer.from(bytes);
    // another place in each
    const at = (n * 7919 + 17) % bytes.length;
    bent[at]! ^= 1;
    writeFileSync(file, bent);
    if ((await verify(home)).exit !== 4) unseen.push(`${name} byte ${at}`);
    writeFileSync(file, bytes);
  }
  expect(unseen).toEqual([]);
  expect((await verify(home)).exit).toBe(0);
});

it('D1 files of the lane that are exchanged, gone or put in are found and named', async () => {
  const home = copyOf(lane.home);
  await currentFiles(home);
  const blobs = path.join(home, 'lane', 'content', 'blobs', 'sha256');
  const channels = path.join(home, 'lane', 'trust', 'targets', 'channel');
  const texts = readdirSync(channels).map((name) => readFileSync(path.join(channels, name), 'utf8'));
  const [, waybill = ''] = /"waybill":"sha256:([0-9a-f]{64})"/.exec(texts.join('')) ?? [];
  const file = path.join(blobs, waybill);
  const other = path.join(blobs, readdirSync(blobs).find((name) => name !== waybill) ?? '');
  const [bytes, others] = [readFileSync(file), readFileSync(other)];
  renameSync(file, `${file}.kept`);
  expectNamed(await verify(home), 'content', `${path.basename(file)}.kept`);
  renameSync(`${file}.kept`, path.join(home, 'kept'));
  writeFileSync(file, others);
  writeFileSync(other, bytes);
  const exchanged = await verify(home);
  expectNamed(exchanged, 'content', path.basename(file));
  expectNamed(exchanged, 'content', path.basename(other));
  writeFileSync(other, others);
  rmSync(file);
  writeFileSync(path.join(blobs, '.blob-1-0.tmp'), 'what a killed writer leaves is no blob');
  expectNamed(await verify(home), 'content', waybill);
  writeFileSync(file, bytes);
  expect((await verify(home)).exit).toBe(0);
});
