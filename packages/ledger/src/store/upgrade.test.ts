/** Ledger files of earlier versions: brought up to date by whoever has the log's key, refused with the next step for everybody else. */
import { PREDICATE } from '@sealane/core';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leafAt } from '../log/leaf-row.js';
import { openLedger } from '../open-ledger.js';
import { NOW, ORIGIN, type TestHome, testHome } from '../testing/open.js';
import { oneOfEach, testKey } from '../testing/statements.js';

let home: TestHome;

beforeEach(async () => {
  home = testHome();
  const ledger = await home.open();
  await ledger.append(oneOfEach(testKey(), testKey()));
  await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  await ledger.close();
});
afterEach(async () => {
  await home.remove();
});

/** Version 7 kept leaves as they are, and archived no documents. */
const AS_7 = `DROP TABLE archived_document; DROP TRIGGER log_entry_frozen; UPDATE log_entry SET leaf = unpacked(leaf);
  CREATE TRIGGER log_entry_frozen BEFORE UPDATE ON log_entry BEGIN SELECT RAISE(ABORT, 'append-only'); END; PRAGMA user_version = 7`;
/** Version 6 kept every payload. */
const AS_6 = `${AS_7}; DROP TABLE archived; DROP TABLE archive_pack; DROP TABLE erased; DROP TRIGGER envelope_kept; DROP TRIGGER envelope_dense;
  CREATE TRIGGER envelope_kept BEFORE DELETE ON envelope BEGIN SELECT RAISE(ABORT, 'append-only'); END;
  CREATE TRIGGER envelope_dense BEFORE INSERT ON envelope WHEN NEW.idx <> coalesce((SELECT max(idx) + 1 FROM envelope), 0) BEGIN SELECT RAISE(ABORT, 'append-only'); END;
  PRAGMA user_version = 6`;
/** Version 5 found no release by its parts, and no site by what is missing of it. */
const AS_5 = `${AS_6}; DROP TABLE component; DROP INDEX receipt_loose; DROP INDEX receipt_back; DROP INDEX receipt_previous;
  ALTER TABLE receipt DROP COLUMN loose; PRAGMA user_version = 5`;
/** Version 4 found no statement by its type. */
const AS_4 = `${AS_5}; DROP INDEX statement_type; PRAGMA user_version = 4`;
/** Version 3 knew one key of the log. */
const AS_3 = `${AS_4}; DROP TABLE log_key; PRAGMA user_version = 3`;
/** The projection as version 2 had it, as far as it was another; the guards of the log stay. */
const AS_2 = `${AS_3}; DROP TABLE receipt; DROP TABLE site_record; DROP TABLE document;
  CREATE TABLE site_record(idx INTEGER PRIMARY KEY, site TEXT NOT NULL, key_id BLOB NOT NULL, stage TEXT NOT NULL) STRICT;
  CREATE TABLE receipt(idx INTEGER PRIMARY KEY, site TEXT NOT NULL, key_id BLOB NOT NULL, seq INTEGER NOT NULL, prev BLOB, event TEXT NOT NULL,
    artifact INTEGER REFERENCES artifact(id), waybill BLOB, reason TEXT, at TEXT NOT NULL) STRICT;
  PRAGMA user_version = 2`;
const AS_1 = `${AS_2}; ALTER TABLE envelope DROP COLUMN timestamp; PRAGMA user_version = 1`;

function become(sql: string): void {
  const database = new Database(home.place.file);
  database.function('unpacked', (leaf) => Buffer.from(leafAt({ leaf })));
  database.exec(sql);
  database.close();
}

const readOnly = (): ReturnType<TestHome['open']> => openLedger({ file: home.place.file, origin: ORIGIN, now: () => NOW, readOnly: true });

test.each([
  ['1', AS_1],
  ['2', AS_2],
  ['3', AS_3],
  ['4', AS_4],
  ['5', AS_5],
  ['6', AS_6],
  ['7', AS_7],
])('a file of version %s is refused to who only reads, and brought up to date by who writes', async (version, sql) => {
  become(sql);
  await expect(readOnly()).rejects.toMatchObject({
    code: 'LEDGER_MISMATCH',
    message: expect.stringContaining(`got ${version}`) as string,
    hint: expect.stringContaining('sealane publish --refresh') as string,
  });
  const ledger = await home.open();
  expect((await ledger.verify()).problems).toEqual([]);
  expect(await ledger.statementsOf([PREDICATE.receipt])).toMatchObject([{ index: 7 }]);
  expect(await ledger.fleet('prod')).toMatchObject([{ site: 'shop-17', labels: { region: 'north' }, report: { event: 'installed' } }]);
  await ledger.close();
  await (await readOnly()).close();
});

test('a file of a later version, and one of none that is known, is left as it is', async () => {
  for (const version of [99, -1]) {
    become(`PRAGMA user_version = ${version}`);
    await expect(home.open()).rejects.toMatchObject({ code: 'LEDGER_MISMATCH' });
  }
});
