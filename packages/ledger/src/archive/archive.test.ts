/** The archive of a ledger on SQLite: what holds of every ledger, the rows that say where payloads are, and packs of hostile forms. */
import { gzipSync } from 'node:zlib';
import path from 'node:path';
import { type ErrorCode, sha256, utf8 } from '@sealane/core';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeArchive } from '../testing/archive-suite.js';
import { describeErasing } from '../testing/erase-suite.js';
import { type TestHome, testHome } from '../testing/open.js';
import { numbered, testKey } from '../testing/statements.js';
import { fsckLedger } from '../verify/fsck.js';
import { archivePlaces, keepArchivePlaces, parseArchive } from './archive-file.js';
import { decodeDocuments } from './documents.js';
import { decodePack, encodePack, packFiles } from './pack.js';

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;
const author = testKey();

describeArchive('the archive of a ledger on SQLite', testHome);
describeErasing('erasing in a ledger on SQLite', testHome);

describe('rows that say where payloads are', () => {
  let home: TestHome;
  let rows: Database.Database;
  const archive = (): readonly string[] => [`oci:${path.join(home.folder, 'cold')}`];

  beforeEach(async () => {
    home = testHome();
    const ledger = await home.openAt({ ...home.place, archive: archive() });
    await ledger.append(Array.from({ length: 12 }, (_, n) => numbered(author, n)));
    await ledger.moveOut({ before: 5, predicateTypes: ['urn:example:number:v1'], places: archive() });
    await ledger.close();
    rows = new Database(home.place.file);
  });
  afterEach(async () => {
    rows.close();
    await home.remove();
  });

  test('an envelope goes only where its entry was archived, never the newest; none comes but to where it was', () => {
    for (const sql of [
      'DELETE FROM envelope WHERE idx = 7',
      'DELETE FROM envelope',
      'INSERT INTO archived(idx, pack) VALUES (11, 1); DELETE FROM envelope WHERE idx = 11',
      'INSERT INTO envelope(idx, payload) SELECT 7, payload FROM envelope WHERE idx = 8',
      'INSERT OR REPLACE INTO envelope(idx, payload) SELECT 7, payload FROM envelope WHERE idx = 8',
      'UPDATE envelope SET payload = payload WHERE idx = 7',
      'DELETE FROM archived',
      'INSERT INTO archived_document(pack, n, digest) VALUES (1, 0, zeroblob(32)); DELETE FROM archived_document',
      'UPDATE archive_pack SET bytes = 1',
      'INSERT OR REPLACE INTO archived(idx, pack) VALUES (2, 1)',
      'INSERT INTO archive_pack SELECT 3, digest, bytes, entries, size, packed_at, line FROM archive_pack',
    ])
      expect(() => {
        rows.transaction(() => rows.exec(sql))();
      }, sql).toThrow('append-only');
    expect(rows.prepare('SELECT count(*) FROM envelope').pluck().get()).toBe(7);
  });

  test.each([
    ['a pack of another digest', 'UPDATE archive_pack SET digest = zeroblob(32)', 'archive 1'],
    ['a pack at another time', "UPDATE archive_pack SET packed_at = '2020-01-01T00:00:00Z'", 'archive 1'],
    ['an entry that was never packed', 'INSERT INTO archived(idx, pack) VALUES (9, 1)', 'archive 1'],
    ['a document in a pack of entries', 'INSERT INTO archived_document(pack, n, digest) VALUES (1, 0, zeroblob(32))', 'archive 1'],
    ['a document in a pack that is not there', 'INSERT INTO archived_document(pack, n, digest) VALUES (9, 0, zeroblob(32))', 'archive 9/0'],
    ['an entry that is said to be nowhere', 'DELETE FROM archived WHERE idx = 3', 'entry 3'],
    ['all of them', 'DELETE FROM archived; DELETE FROM archive_pack', 'entry 0'],
    [
      'an erasure that nobody ordered',
      "INSERT INTO erased(idx, erasure, size, line) VALUES (6, 8, 12, 'x'); DELETE FROM envelope WHERE idx = 6",
      'entry 6',
    ],
    ['an erasure of what is there', "INSERT INTO erased(idx, erasure, size, line) VALUES (6, 8, 12, 'x')", 'entry 6'],
  ])('%s is found', async (_, sql, problem) => {
    const kept = rows.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as { name: string; sql: string }[];
    for (const { name } of kept) rows.exec(`DROP TRIGGER ${name}`);
    rows.pragma('foreign_keys = OFF');
    rows.exec(sql);
    for (const { sql: trigger } of kept) rows.exec(trigger);
    const { problems } = await fsckLedger({ ...home.place, archive: archive() });
    expect(problems.map(({ where, key }) => `${where} ${key}`)).toContain(problem);
  });
});

describe('packs', () => {
  const payload = (index: number): { index: number; payload: Uint8Array; timestamp: Uint8Array | null } => ({
    index,
    payload: utf8(`{"n":${index}}`),
    timestamp: index % 2 === 0 ? null : utf8('token'),
  });

  test('give back what was packed, the same bytes each time', async () => {
    const payloads = [3, 4, 1000].map(payload);
    const bytes = await encodePack(payloads);
    expect(await encodePack(payloads)).toEqual(bytes);
    expect([...(await decodePack(bytes)).values()].sort((a, b) => a.index - b.index)).toEqual(payloads);
  });

  test.each([
    ['no gzip', utf8('hello')],
    ['no tar', new Uint8Array(gzipSync(utf8('hello')))],
    ['a bomb', new Uint8Array(gzipSync(new Uint8Array(64 * 1024 * 1024)))],
  ])('%s is refused', async (_, bytes) => {
    await expect(decodePack(bytes)).rejects.toEqual(withCode('ARCHIVE_DAMAGED'));
    await expect(decodeDocuments(bytes)).rejects.toEqual(withCode('ARCHIVE_DAMAGED'));
  });

  test('of documents gives back each under its own digest, and refuses one under another', async () => {
    const [first, second] = [utf8('a report'), utf8('an inventory')];
    const named = (bytes: Uint8Array): string => sha256(bytes).replace(':', '-');
    const pack = await packFiles([
      [named(first), first],
      [named(second), second],
    ]);
    expect(await decodeDocuments(pack)).toEqual(
      new Map([
        [sha256(first), first],
        [sha256(second), second],
      ]),
    );
    for (const name of [named(first), '1.json'])
      await expect(decodeDocuments(await packFiles([[name, second]]))).rejects.toEqual(withCode('ARCHIVE_DAMAGED'));
  });
});

describe('archive.json', () => {
  let home: TestHome;
  beforeEach(() => {
    home = testHome();
  });
  afterEach(async () => {
    await home.remove();
  });

  test('keeps places, each once; folders are relative to it', () => {
    expect(archivePlaces(home.place.file)).toEqual([]);
    keepArchivePlaces(home.place.file, ['oci:/mnt/cold']);
    keepArchivePlaces(home.place.file, ['docker://registry.example/ledger', 'oci:/mnt/cold']);
    expect(archivePlaces(home.place.file)).toEqual(['oci:/mnt/cold', 'docker://registry.example/ledger']);
    const relative = utf8('{"apiVersion":"sealane/v1","kind":"Archive","places":["oci:../cold"]}');
    expect(parseArchive(relative, '/srv/lane/ledger/archive.json')).toEqual(['oci:/srv/lane/cold']);
  });

  test.each([
    '{"apiVersion":"sealane/v1","kind":"Archive","places":[]}',
    '{"apiVersion":"sealane/v1","kind":"Archive","places":["http://x"]}',
    '{"apiVersion":"sealane/v1","kind":"Archive","places":["oci:"]}',
    '{"apiVersion":"sealane/v1","kind":"Archive","places":[7]}',
    '{"apiVersion":"sealane/v2","kind":"Archive","places":["oci:x"]}',
    '{"apiVersion":"sealane/v1","kind":"Archive","places":["oci:x"],"more":1}',
    '[]',
  ])('refuses %s', (text) => {
    expect(() => parseArchive(utf8(text), 'archive.json')).toThrow(withCode('CONFIG_INVALID'));
  });
});
