/** An SQLite file that a stranger wrote, or had his hands on: nothing in it runs, and what is removed is gone. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { orderErasure } from '../testing/erase-suite.js';
import { NOW, ORIGIN, type TestHome, testHome } from '../testing/open.js';
import { numbered, testKey } from '../testing/statements.js';
import { fsckLedger } from '../verify/fsck.js';
import { checkHashes } from '../verify/hashes.js';
import { verifyLedger } from '../verify/verify.js';
import { openLedger } from '../open-ledger.js';

let home: TestHome;
const author = testKey();

beforeEach(async () => {
  home = testHome();
  const ledger = await home.open();
  await ledger.append(Array.from({ length: 12 }, (_, n) => numbered(author, n)));
  await ledger.close();
});

afterEach(async () => {
  await home.remove();
});

/** What somebody does who has the file. */
function edit(sql: string): void {
  const database = new Database(home.place.file);
  database.unsafeMode(true);
  database.pragma('foreign_keys = OFF');
  database.exec(sql);
  database.close();
}

const asView = (table: string, select: string): string =>
  `PRAGMA legacy_alter_table = ON; ALTER TABLE ${table} RENAME TO other; CREATE VIEW ${table} AS ${select}`;
const STRANGE: readonly (readonly [what: string, sql: string])[] = [
  ['a view, which may never end', asView('ledger', 'SELECT id, vkey FROM other')],
  ['a view of less', asView('approval', "SELECT * FROM other WHERE verdict <> 'reject'")],
  ['a virtual table', 'CREATE VIRTUAL TABLE searched USING fts5(text)'],
  ['a column that is computed', 'ALTER TABLE cosigned ADD COLUMN more TEXT AS (hex(zeroblob(100)))'],
];

describe.each(STRANGE)('a file with %s', (_, sql) => {
  test('is opened by nobody', async () => {
    edit(sql);
    const damaged = { code: 'LEDGER_DAMAGED', message: expect.stringContaining('expected plain tables') as string };
    const readOnly = { ...home.place, origin: ORIGIN, now: () => NOW, readOnly: true } as const;
    for (const opened of [() => home.open(), () => openLedger(readOnly), () => fsckLedger(home.place), () => checkHashes(home.place)])
      await expect(opened()).rejects.toMatchObject(damaged);
    expect(await verifyLedger({ ...home.place, origin: ORIGIN })).toMatchObject({ ok: false, problems: [{ where: 'database' }] });
  });
});

test.each([
  ['swallows rows', 'CREATE TRIGGER more BEFORE INSERT ON envelope BEGIN SELECT RAISE(IGNORE); END'],
  ['adds rows', 'CREATE TRIGGER more AFTER INSERT ON statement BEGIN INSERT INTO subject SELECT * FROM subject LIMIT 0; END'],
  ['stands beside the true one', 'CREATE TRIGGER more BEFORE DELETE ON receipt BEGIN SELECT 1; END'],
])('a trigger that %s is found before anything is signed', async (_, sql) => {
  edit(sql);
  await expect(home.open()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED', message: expect.stringContaining('more') as string });
  expect((await fsckLedger(home.place)).problems).toMatchObject([{ where: 'schema', key: 'more' }]);
});

test('an expression that somebody else wrote is named, and not evaluated', async () => {
  // it could take hours; evaluated, it would be found to be another than the rows of the index have
  edit(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '1, 6', '2, 6') WHERE name = 'log_entry_statement'`);
  const { problems } = await fsckLedger(home.place);
  expect(problems.map(({ where, key }) => `${where} ${key}`)).toEqual(['schema log_entry_statement']);
});

test('what was erased is in no file once it is said to be, and while somebody reads it, it is not said', async () => {
  const ledger = await home.open();
  const { envelope } = await ledger.entry(3);
  const payload = Buffer.from(envelope.payload, 'base64').toString();
  const isThere = (): boolean => ['', '-wal'].some((end) => readFileSync(`${home.place.file}${end}`).includes(payload));
  const reader = new Database(home.place.file, { readonly: true });
  reader.exec('BEGIN; SELECT * FROM envelope');
  await ledger.erase(await orderErasure(ledger, 3));
  const compacted = ledger.compact('traces');
  let isSaid = false;
  void compacted.then(() => (isSaid = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect({ isSaid, isThere: isThere() }).toEqual({ isSaid: false, isThere: true });
  reader.close();
  await compacted;
  expect(isThere()).toBe(false);
  await ledger.close();
});

test('nothing is acknowledged once the log of writes was removed under an open ledger', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 100)]);
  rmSync(`${home.place.file}-wal`);
  await expect(ledger.append([numbered(author, 101)])).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' });
  await ledger.close();
});

test('a file that is no database any more is not to be looked into row by row: the next step is a backup', async () => {
  writeFileSync(home.place.file, 'no database'.repeat(1000));
  for (const suffix of ['-wal', '-shm']) rmSync(`${home.place.file}${suffix}`, { force: true });
  const hint = expect.stringContaining('sealane restore') as string;
  await expect(home.open()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED', hint });
});
