import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestHome, testHome } from '../testing/open.js';
import { numbered, testKey } from '../testing/statements.js';
import { checkHashes } from './hashes.js';

let home: TestHome;

/** A log with two full tiles, cosigned on the way and at its end. */
beforeEach(async () => {
  home = testHome();
  const [ledger, key] = [await home.open(), testKey()];
  for (const [from, to] of [
    [0, 300],
    [300, 520],
  ] as const) {
    await ledger.append(Array.from({ length: to - from }, (_, at) => numbered(key, from + at)));
    await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  }
  await ledger.close();
});

afterEach(async () => {
  await home.remove();
});

const file = (): string => path.join(home.folder, 'ledger.sqlite');

/** What is found after an edit behind the back of the triggers. */
async function foundAfter(sql: string): Promise<readonly string[]> {
  const database = new Database(file());
  database.pragma('foreign_keys = OFF');
  const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  for (const name of triggers) database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  database.close();
  const { problems } = await checkHashes({ file: file() });
  return problems.map(({ where, key }) => `${where} ${key}`);
}

test('is content with a log as it was signed, and says its root', async () => {
  const ledger = await home.open();
  const root = await ledger.rootAt(520);
  await ledger.close();
  expect(await checkHashes({ file: file() })).toMatchObject({ ok: true, origin: 'lane.example', size: 520, root, problems: [] });
});

const LEAF = 'UPDATE log_entry SET leaf = (SELECT leaf FROM log_entry WHERE idx = 8) WHERE idx =';
test.each([
  ['a leaf under a full tile', `${LEAF} 7`, ['tile 0/0', 'commit 520', 'cosigned 0', 'cosigned 1']],
  ['a leaf of the last tile', `${LEAF} 519`, ['commit 520', 'cosigned 1']],
  ['a leaf that is gone', 'DELETE FROM log_entry WHERE idx = 310', ['entry 310', 'cosigned 1']],
  ['a leaf too many', 'INSERT INTO log_entry SELECT 520, statement, leaf FROM log_entry WHERE idx = 3', ['entry 520']],
  [
    'two leaves exchanged',
    'UPDATE log_entry SET idx = CASE idx WHEN 2 THEN -1 ELSE 2 END WHERE idx IN (2, 3); UPDATE log_entry SET idx = 3 WHERE idx = -1',
    ['tile 0/0', 'commit 520', 'cosigned 0', 'cosigned 1'],
  ],
  ['a tile', 'UPDATE hash_tile SET data = zeroblob(8192) WHERE n = 1', ['tile 0/1']],
  ['a tile that is gone', 'DELETE FROM hash_tile WHERE n = 0', ['tile 0/0']],
  ['a checkpoint', "UPDATE cosigned SET note = replace(note, '300', '301') WHERE seq = 0", ['cosigned 0']],
])('finds %s', async (_, sql, expected) => {
  expect(await foundAfter(sql)).toEqual(expected);
});

test('says nothing of envelopes: that is the full check’s', async () => {
  expect(await foundAfter('DELETE FROM envelope WHERE idx = 5')).toEqual([]);
});
