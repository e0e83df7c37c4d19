/** T15: a superuser on the ledger's database. He has no key of anybody: he can take away, change and move what others signed, and put guards back. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, runJson, startServer } from '../support/run.js';

let dir: string;
let lane: TestLane;
let release: string;
/** The place of the veto in the log: the last one. */
let veto: number;
/** A checkpoint that somebody kept. */
let kept: string;
/** The home, and what the witness had seen, when the veto had just been logged. */
let vetoed: string;
let seen: string;

/** 1.0.0 is in edge-preprod; alice and bob approved it for prod, and then bob took his word back. */
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-t15-'));
  [vetoed, seen] = [path.join(dir, 'vetoed'), path.join(dir, 'seen')];
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release, 'edge-preprod');
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
  const rejected = await lane.sealane(['reject', release, '--to', 'prod', '--key', 'bob', '--reason', 'a leak']);
  veto = rejected.statements[0].logIndex as number;
  cpSync(lane.home, vetoed, { recursive: true, verbatimSymlinks: true });
  cpSync(path.join(dir, 'witness'), seen, { recursive: true, filter: (file) => path.basename(file) !== 'lock' });
  await lane.sealane(['publish', '--refresh']);
  kept = path.join(dir, 'kept.checkpoint');
  cpSync(path.join(lane.lane, 'log', 'checkpoint'), kept);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A copy of the home whose database he has been at; its triggers are there again. */
function editedHome(edit: (database: Database.Database) => void): string {
  const home = path.join(mkdtempSync(path.join(dir, 'copy-')), 'home');
  cpSync(vetoed, home, { recursive: true, verbatimSymlinks: true });
  const database = new Database(path.join(home, 'ledger', 'ledger.sqlite'));
  database.pragma('foreign_keys = OFF');
  const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as { name: string; sql: string }[];
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  edit(database);
  for (const { sql } of triggers) database.exec(sql);
  database.close();
  return home;
}

/** Asks there for what the veto bars, with a witness that has seen what the lane's had. */
async function promote(home: string): Promise<Answer> {
  const state = path.join(path.dirname(home), 'witness');
  cpSync(seen, state, { recursive: true });
  const words = ['--state', state, '--log', path.join(home, 'log.vkey'), '--listen', '127.0.0.1:0'];
  const witness = await startServer('sealane', ['witness', 'serve', ...words]);
  try {
    const pipeline = path.join(home, 'pipeline.yaml');
    writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(lane.witness.url, witness.url));
    return await runJson('sealane', ['promote', release, '--to', 'prod', '--home', home]);
  } finally {
    await witness.stop();
  }
}

const verify = (home: string): Promise<Answer> => runJson('sealane', ['audit', 'verify', '--home', home, '--checkpoint', kept]);

/** Where `audit verify` finds something that is not as it was signed. */
async function found(home: string): Promise<readonly string[]> {
  const { exit, json } = await verify(home);
  expect(exit).toBe(4);
  return [...new Set((json.answer.problems as readonly { where: string }[]).map(({ where }) => where))].sort();
}

const PROJECTED = ['subject', 'approval', 'statement'];
const drop = (...tables: readonly string[]): string => tables.map((table) => `DELETE FROM ${table} WHERE idx = ${veto};`).join(' ');

it('T15 the veto holds while nobody touches it', async () => {
  const home = editedHome(() => undefined);
  const { exit, json } = await promote(home);
  expect({ exit, decision: json.decision }).toEqual({ exit: 3, decision: 'refused' });
  expect((await verify(home)).exit).toBe(0);
});

describe('T15 the log signs nothing more', () => {
  it('once its last entry was cut off, commit and all: a witness has seen it', async () => {
    const home = editedHome((database) =>
      database.exec(`${drop(...PROJECTED, 'envelope', 'log_entry')} DELETE FROM log_commit WHERE size = ${veto + 1};`),
    );
    const { exit, json } = await promote(home);
    expect({ exit, code: json.error?.code }).toEqual({ exit: 8, code: 'LOG_RESTORED' });
    expect(await found(home)).toContain('checkpoint');
  });

  it('once the entry was taken out from under its commit', async () => {
    const home = editedHome((database) => database.exec(drop(...PROJECTED, 'envelope', 'log_entry')));
    const { exit, json } = await promote(home);
    expect({ exit, code: json.error?.code }).toEqual({ exit: 4, code: 'LEDGER_DAMAGED' });
    expect(await found(home)).toContain('entry');
  });

  it('once what the entry said was thrown away', async () => {
    const home = editedHome((database) => database.exec(drop(...PROJECTED, 'envelope')));
    const { exit, json } = await promote(home);
    expect({ exit, code: json.error?.code }).toEqual({ exit: 4, code: 'LEDGER_DAMAGED' });
    expect(await found(home)).toContain('entry');
  });

  it('once an earlier entry stands in the place of the veto', async () => {
    const home = editedHome((database) => {
      for (const [table, columns] of [
        ['log_entry', 'statement, leaf'],
        ['envelope', 'payload, timestamp'],
      ])
        database.exec(`UPDATE ${table} SET (${columns}) = (SELECT ${columns} FROM ${table} WHERE idx = ${veto - 1}) WHERE idx = ${veto}`);
    });
    const { exit, json } = await promote(home);
    expect({ exit, code: json.error?.code }).toEqual({ exit: 4, code: 'LOG_FORK' });
    expect(await found(home)).toContain('entry');
  });
});

describe('T15 the projection is no evidence', () => {
  it('a veto that it calls an approval is a veto: what was signed counts', async () => {
    const home = editedHome((database) => database.exec(`UPDATE approval SET verdict = 'approve' WHERE idx = ${veto}`));
    const { exit, json } = await promote(home);
    expect({ exit, decision: json.decision }).toEqual({ exit: 3, decision: 'refused' });
    expect(await found(home)).toEqual(['approval']);
  });

  it('a veto that it does not list any more is named by audit verify, and read by whoever explains the release from the lane alone', async () => {
    const home = editedHome((database) => database.exec(drop(...PROJECTED)));
    expect(await found(home)).toEqual(PROJECTED.toSorted());
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const { json } = await runJson('sealane', ['explain', release, '--to', 'prod', '--lane', lane.lane, '--root', root]);
    expect(json.checks.find(({ id }: { id: string }) => id === 'approvals')).toMatchObject({
      verdict: 'fail',
      actual: 'bob rejected it: a leak',
    });
  });
});
