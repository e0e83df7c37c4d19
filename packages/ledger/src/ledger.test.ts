/** The ledger on SQLite: what holds of every ledger, and what its file and its triggers keep. */
import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { type ErrorCode, parseCheckpoint } from '@sealane/core';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ed25519NoteSigner } from './note-signer.js';
import { openLedger } from './open-ledger.js';
import { describeLedger } from './testing/ledger-suite.js';
import { fsckLedger } from './verify/fsck.js';
import { numbered, testKey } from './testing/statements.js';
import { NOW, ORIGIN, type TestHome, testHome } from './testing/open.js';
import { generateKeyPairSync } from 'node:crypto';

const author = testKey();
let home: TestHome;

beforeEach(() => {
  home = testHome();
});
afterEach(async () => {
  await home.remove();
});

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;

describeLedger('the ledger on SQLite', testHome);

test('appends that come together share a commit, and each gets its own places', async () => {
  const ledger = await home.open();
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ledger.append([numbered(author, 2 * n), numbered(author, 2 * n + 1)])),
  );
  expect(results.flat().map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, index) => index));
  await ledger.close();
  const rows = new Database(home.place.file, { readonly: true });
  expect(rows.prepare('SELECT count(*) FROM log_commit').pluck().get()).toBe(1);
  rows.close();
});

test('is durable by its settings: full synchronous, write-ahead log moved by ourselves, own file mode', async () => {
  // what is set for a connection is seen on that connection alone
  const pragma = vi.spyOn(Database.prototype, 'pragma');
  const ledger = await home.open();
  const writer: unknown = pragma.mock.contexts[pragma.mock.calls.findIndex(([words]) => words === 'journal_mode = WAL')];
  pragma.mockRestore();
  if (!(writer instanceof Database)) throw new Error('nothing set the journal of the writer');
  const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'wal_autocheckpoint', 'trusted_schema'];
  expect(settings.map((name) => writer.pragma(name, { simple: true }))).toEqual(['wal', 2, 1, 0, 0]);
  await ledger.append([numbered(author, 1)]);
  expect(statSync(home.place.file).mode & 0o777).toBe(0o600);
  await ledger.close();
});

test('opens for reading without a key, and refuses to write; refuses another origin, another key, no file, no ledger', async () => {
  const made = await home.open();
  await made.append([numbered(author, 1)]);
  await made.close();
  const reader = await openLedger({ file: home.place.file, origin: ORIGIN, now: () => NOW });
  expect(await reader.size()).toBe(1);
  expect(parseCheckpoint(await reader.checkpointNote()).size).toBe(1);
  await expect(reader.append([numbered(author, 2)])).rejects.toEqual(withCode('LEDGER_READ_ONLY'));
  await expect(reader.rebuildProjection()).rejects.toEqual(withCode('LEDGER_READ_ONLY'));
  await reader.close();
  const otherKey = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
  await expect(openLedger({ file: home.place.file, origin: 'other.example', now: () => NOW })).rejects.toEqual(withCode('LEDGER_MISMATCH'));
  await expect(openLedger({ file: home.place.file, origin: ORIGIN, logSigner: otherKey, now: () => NOW })).rejects.toEqual(
    withCode('LEDGER_MISMATCH'),
  );
  await expect(openLedger({ file: path.join(home.folder, 'none.sqlite'), origin: ORIGIN, now: () => NOW })).rejects.toEqual(
    withCode('LEDGER_UNREADABLE'),
  );
  await expect(
    openLedger({ file: path.join(home.folder, 'no', 'where.sqlite'), origin: ORIGIN, logSigner: home.signer, now: () => NOW }),
  ).rejects.toEqual(withCode('LEDGER_UNREADABLE'));
  await expect(openLedger({ file: new URL(import.meta.url).pathname, origin: ORIGIN, now: () => NOW })).rejects.toEqual(
    withCode('LEDGER_DAMAGED'),
  );
});

test.each(['OFF', 'ON'])('the tables refuse UPDATE, DELETE, gaps, REPLACE and upsert, with recursive_triggers %s', async (recursive) => {
  const ledger = await home.open();
  await ledger.append(Array.from({ length: 257 }, (_, n) => numbered(author, n)));
  await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  await ledger.close();
  const rows = new Database(home.place.file);
  rows.pragma(`recursive_triggers = ${recursive}`);
  for (const table of ['ledger', 'log_entry', 'envelope', 'hash_tile', 'log_commit', 'cosigned']) {
    const [column] = rows.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all() as [string];
    const count = rows.prepare(`SELECT count(*) FROM ${table}`).pluck();
    const before = count.get();
    for (const sql of [
      `UPDATE ${table} SET ${column} = ${column}`,
      `UPDATE OR REPLACE ${table} SET ${column} = ${column}`,
      `DELETE FROM ${table}`,
      `UPDATE OR IGNORE ${table} SET ${column} = ${column}`,
      `INSERT OR REPLACE INTO ${table} SELECT * FROM ${table} LIMIT 1`,
      `REPLACE INTO ${table} SELECT * FROM ${table} ORDER BY 1 DESC LIMIT 1`,
      `INSERT OR IGNORE INTO ${table} SELECT * FROM ${table} LIMIT 1`,
      `INSERT INTO ${table} SELECT * FROM ${table} WHERE true LIMIT 1 ON CONFLICT DO UPDATE SET ${column} = ${column}`,
      `INSERT INTO ${table} SELECT * FROM ${table} WHERE true LIMIT 1 ON CONFLICT DO NOTHING`,
    ]) {
      expect(() => rows.exec(sql), sql).toThrow('append-only');
    }
    expect(count.get()).toBe(before);
  }
  expect(() => rows.exec("INSERT INTO log_entry(idx, statement, leaf) VALUES (300, zeroblob(32), x'00')")).toThrow('append-only');
  rows.close();
});

test('is not opened for writing while a trigger that keeps its rows is gone or was weakened; fsck says which', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  await ledger.close();
  const rows = new Database(home.place.file);
  const whole = rows.prepare("SELECT sql FROM sqlite_schema WHERE name = 'envelope_kept'").pluck().get() as string;
  for (const weak of [
    '',
    whole.replace("'append-only'", "'append'"),
    whole.replace('BEFORE DELETE ON envelope', 'BEFORE DELETE ON cosigned'),
  ]) {
    rows.exec(`DROP TRIGGER envelope_kept;${weak}`);
    await expect(home.open()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringContaining('envelope_kept') as string,
    });
    expect((await fsckLedger(home.place)).problems).toMatchObject([{ where: 'schema', key: 'envelope_kept' }]);
    if (weak === '') rows.exec(whole);
  }
  rows.exec(`DROP TRIGGER envelope_kept;${whole}`);
  rows.close();
  const again = await home.open();
  expect(await again.append([numbered(author, 2)])).toMatchObject([{ index: 1 }]);
  await again.close();
});

test('fsck names every leaf whose envelope is gone, and a ledger that is behind what it has shown', async () => {
  const ledger = await home.open();
  const appended = await ledger.append([0, 1, 2, 3].map((n) => numbered(author, n)));
  const backup = path.join(home.folder, 'backup.sqlite');
  await ledger.copyTo(backup);
  await ledger.append([numbered(author, 4)]);
  await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  await ledger.close();
  expect(await fsckLedger(home.place)).toEqual({
    ok: true,
    origin: ORIGIN,
    size: 5,
    problems: [],
    gone: [],
    archived: 0,
    erased: [],
    unseen: null,
  });
  copyFileSync(`${home.place.file}.anchor`, `${backup}.anchor`);
  expect(await fsckLedger({ file: backup })).toMatchObject({ ok: false, size: 4, problems: [{ where: 'anchor', key: '5' }], gone: [] });
  const rows = new Database(home.place.file);
  const kept = rows.prepare("SELECT sql FROM sqlite_schema WHERE name = 'envelope_kept'").pluck().get() as string;
  rows.exec(`DROP TRIGGER envelope_kept; DELETE FROM envelope WHERE idx IN (1, 3); ${kept}`);
  rows.close();
  const report = await fsckLedger(home.place);
  expect(report.gone).toEqual([1, 3].map((at) => ({ logIndex: at, digest: appended[at]!.statementDigest })));
  expect(report.problems.map(({ where, key }) => [where, key])).toEqual([
    ['entry', '1'],
    ['entry', '3'],
  ]);
});

test('refuses to sign after an old copy was written over the file while the ledger was open, and had been held against what it has shown', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  const copy = path.join(path.dirname(home.place.file), 'copy.sqlite');
  await ledger.copyTo(copy);
  await ledger.append([numbered(author, 2)]);
  const shown = home.cosigned(await ledger.checkpointNote());
  await ledger.saveCosigned(shown);
  await ledger.observe(shown);
  await ledger.append([numbered(author, 3)]);
  await ledger.observe(shown);
  const old = new Database(copy, { readonly: true });
  await old.backup(home.place.file);
  old.close();
  await expect(ledger.append([numbered(author, 4)])).rejects.toEqual(withCode('LOG_RESTORED'));
  await expect(ledger.observe(shown)).rejects.toEqual(withCode('LOG_RESTORED'));
  expect(await ledger.size()).toBe(1);
  await ledger.close();
});

test('a ledger whose file is gone is not begun anew', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 0)]);
  await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  await ledger.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${home.place.file}${suffix}`, { force: true });
  await expect(home.open()).rejects.toEqual(withCode('LOG_RESTORED'));
  expect(existsSync(home.place.file)).toBe(false);
});
