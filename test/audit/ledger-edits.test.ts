/** Whoever owns the file can edit it: each column of each kind of row, rows dropped, exchanged and put in, and bytes of the file. The check names each. */
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256, utf8 } from '@sealane/core';
import { ed25519NoteSigner, type LedgerReport, openLedger, verifyLedger } from '@sealane/ledger';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orderErasure } from '../../packages/ledger/src/testing/erase-suite.js';
import { NOW, ORIGIN, type TestHome, testHome } from '../../packages/ledger/src/testing/open.js';
import { numbered, oneOfEach, signed, type TestKey, testKey } from '../../packages/ledger/src/testing/statements.js';

let home: TestHome;
/** A ledger with a row of every kind, and one with a full tile. */
let small: string;
let large: string;
/** One with rows of all other tables: its key was replaced, payloads and documents are in an archive, one was erased. */
let later: string;
/** Checkpoints that somebody kept elsewhere. */
const kept = new Map<string, string>();

beforeAll(async () => {
  home = testHome();
  [small, large] = [home.place.file, path.join(home.folder, 'large.sqlite')];
  const [author, site] = [testKey(), testKey()];
  const one = await home.open();
  for (const entry of oneOfEach(author, site)) await one.append([entry]);
  await one.append([numbered(author, 2), signed(author, 'urn:sealane:release:v1', { name: 'api', version: '1.1.0' }, 'release 2')]);
  await one.saveCosigned(home.cosigned(await one.checkpointNote(), 1_000));
  await one.append([numbered(author, 3)]);
  const note = home.cosigned(await one.checkpointNote(), 2_000);
  await one.saveCosigned(note);
  await one.append([numbered(author, 4), numbered(author, 5)]);
  kept.set(small, note);
  await one.close();
  const other = await home.openAt({ file: large });
  await other.append(Array.from({ length: 257 }, (_, n) => numbered(author, n)));
  kept.set(large, home.cosigned(await other.checkpointNote()));
  await other.close();
  later = await makeLater(author);
});

const archive = (): readonly string[] => [`oci:${path.join(home.folder, 'cold')}`];

async function makeLater(author: TestKey): Promise<string> {
  const file = path.join(home.folder, 'later.sqlite');
  const next = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
  const place = { file, origin: ORIGIN, archive: archive(), now: () => NOW };
  const before = await openLedger({ ...place, logSigner: home.signer, otherSigner: next });
  await before.append(Array.from({ length: 8 }, (_, n) => numbered(author, n)));
  const types = ['urn:example:number:v1'];
  // two packs, and an erasure, by the key that goes
  for (const index of [2, 4]) await before.moveOut({ before: index, predicateTypes: types, places: archive() });
  const report = utf8('a report');
  await before.moveDocumentsOut({ documents: [sha256(report)], read: () => report, places: archive(), moved: () => undefined });
  await before.erase(await orderErasure(before, 5));
  await before.replaceKey(next.vkey);
  await before.close();
  const after = await openLedger({ ...place, logSigner: next });
  await after.append([numbered(author, 8), numbered(author, 9)]);
  await after.erase(await orderErasure(after, 6));
  const note = home.cosigned(await after.checkpointNote());
  await after.saveCosigned(note);
  kept.set(file, note);
  await after.close();
  return file;
}

afterAll(async () => {
  await home.remove();
});

/** Where a row of each table is named. What is not here is a table of the projection, named by itself. */
const NAMED: Readonly<Record<string, string>> = {
  ledger: 'ledger',
  log_entry: 'entry',
  envelope: 'entry',
  hash_tile: 'tile',
  log_commit: 'commit',
  cosigned: 'cosigned',
  log_key: 'log-key',
  archive_pack: 'archive',
  archived: 'archive',
  archived_document: 'archive',
  erased: 'erased',
};
/** The tables of which \`later\` has rows. */
const LATER = ['log_key', 'archive_pack', 'archived', 'archived_document', 'erased'];

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
}

function tablesOf(database: Database.Database): readonly Table[] {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all() as string[];
  return names.map((name) => {
    const rows = database.pragma(`table_info(${name})`) as { name: string; type: string; notnull: number; pk: number }[];
    const columns = rows.map((row) => ({ name: row.name, type: row.type, isNullable: row.notnull === 0 && row.pk === 0 }));
    const key = rows.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
    return { name, columns, key: key.map((row) => row.name) };
  });
}

type Value = string | number | null | Buffer;
type Row = Readonly<Record<string, Value>>;

/** Edits a copy behind the back of every trigger and constraint, which are all there again afterwards; then checks it. */
async function afterEdit(file: string, edit: (database: Database.Database) => void): Promise<LedgerReport> {
  const copy = path.join(home.folder, 'edited.sqlite');
  copyFileSync(file, copy);
  const database = new Database(copy);
  database.pragma('synchronous = OFF');
  database.pragma('foreign_keys = OFF');
  database.pragma('ignore_check_constraints = ON');
  const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name").all() as {
    name: string;
    sql: string;
  }[];
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  edit(database);
  for (const { sql } of triggers) database.exec(sql);
  database.close();
  return await verifyLedger({ file: copy, origin: ORIGIN, archive: archive(), checkpoint: kept.get(file) ?? '' });
}

/** First and last row of a table, and one in the middle of those that are chained. */
function sampleRows(database: Database.Database, { name, key }: Table): readonly Row[] {
  const rows = database.prepare(`SELECT * FROM ${name} ORDER BY ${key.join(', ')}`).all() as Row[];
  const picked = new Set([rows[0], name in NAMED ? rows[Math.floor(rows.length / 2)] : undefined, rows.at(-1)]);
  return [...picked].filter((row) => row !== undefined);
}

function keyOf({ key }: Table, row: Row): string {
  return key.map((column) => String(row[column])).join('/');
}

/** Other values for a column: a neighbour, something far off, nothing. */
function otherValues({ type, isNullable }: Column, value: Value | undefined): readonly Value[] {
  const nothing = isNullable && value !== null ? [null] : [];
  if (type === 'INTEGER') return [...nothing, Number(value ?? 0) + 1, Number(value ?? 0) + 1_000_000];
  if (type === 'TEXT') return [...nothing, `${String(value ?? '')}x`, ''];
  const bytes = Buffer.from((value as Buffer | null) ?? Buffer.alloc(32));
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  return [...nothing, bytes];
}

function where({ key }: Table): string {
  return key.map((column) => `${column} = ?`).join(' AND ');
}

/** The problems that name the row: by its key, or by a range of entries that holds it. */
function names(table: Table, keys: readonly string[], { problems }: LedgerReport): boolean {
  const place = NAMED[table.name] ?? table.name;
  return problems.some(
    (problem) =>
      (problem.where === place && (keys.includes(problem.key) || inRange(problem.key, keys))) ||
      keys.includes(`${problem.where} ${problem.key}`) ||
      isTheIndex(problem, table),
  );
}

/** What else names a row: the entries that a commit brought, when it was the last one; of where payloads are, the entry or the pack; of keys, what they signed. */
function alsoNames({ name }: Table, row: Row): readonly string[] {
  const of = (column: string): string => String(row[column]);
  switch (name) {
    case 'log_commit':
      return Array.from({ length: Number(row['size']) - Number(row['previous']) }, (_, at) => `entry ${Number(row['previous']) + at}`);
    case 'archived':
      return [`entry ${of('idx')}`, `archive ${of('pack')}`];
    case 'archive_pack':
      return [`archive ${of('id')}/0`];
    case 'archived_document':
      return [`archive ${of('pack')}`];
    case 'erased':
      return [`entry ${of('idx')}`];
    case 'log_key':
      return [`commit ${Number(row['size']) + 1}`, 'checkpoint note'];
    default:
      return [];
  }
}

function inRange(range: string, keys: readonly string[]): boolean {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(range) ?? [];
  return keys.some((key) => Number(key) >= Number(from) && Number(key) <= Number(to));
}

/** SQLite itself may be the first to notice: a value twice in a unique index, a column without its type. */
function isTheIndex({ where: place, actual }: LedgerReport['problems'][number], { name }: Table): boolean {
  return place === 'sqlite' && actual.includes(name);
}

/** The rows of `file` with which `edit` is tried; every edit must be found and named. */
async function tryEdits(
  file: string,
  wanted: (table: Table) => boolean,
  edit: (
    table: Table,
    row: Row,
  ) => readonly { readonly what: string; readonly keys: readonly string[]; readonly sql: readonly [string, ...Value[]][] }[],
): Promise<number> {
  const reader = new Database(file, { readonly: true });
  const cases = tablesOf(reader)
    .filter(wanted)
    .flatMap((table) => sampleRows(reader, table).flatMap((row) => edit(table, row).map((each) => ({ ...each, table }))));
  reader.close();
  const unseen: unknown[] = [];
  for (const { table, what, keys, sql } of cases) {
    const attempt = { wasMade: true };
    const report = await afterEdit(file, (database) => {
      try {
        for (const [statement, ...values] of sql) database.prepare(statement).run(...values);
      } catch (error) {
        // a key that is taken, a type that STRICT refuses: not an edit that can be made
        if (!(error instanceof Database.SqliteError)) throw error;
        attempt.wasMade = false;
      }
    });
    if (attempt.wasMade && (report.ok || !names(table, keys, report)))
      unseen.push({ table: table.name, what, keys, problems: report.problems.slice(0, 3) });
  }
  expect(unseen).toEqual([]);
  return cases.length;
}

const editColumns: Parameters<typeof tryEdits>[2] = (table, row) =>
  table.columns.flatMap((column) =>
    otherValues(column, row[column.name]).map((value) => ({
      what: `${column.name} = ${String(value).slice(0, 20)}`,
      keys: [
        keyOf(table, row),
        keyOf(table, { ...row, [column.name]: value }),
        ...(table.key.includes(column.name) || LATER.includes(table.name) ? alsoNames(table, row) : []),
      ],
      sql: [
        [`UPDATE ${table.name} SET ${column.name} = ? WHERE ${where(table)}`, value, ...table.key.map((name) => row[name] ?? null)],
      ] as [string, ...Value[]][],
    })),
  );

const dropRow: Parameters<typeof tryEdits>[2] = (table, row) => [
  {
    what: 'dropped',
    keys: [keyOf(table, row), ...alsoNames(table, row)],
    sql: [[`DELETE FROM ${table.name} WHERE ${where(table)}`, ...table.key.map((name) => row[name] ?? null)]],
  },
];

describe('a ledger that was edited', () => {
  test('is sound before', async () => {
    for (const file of [small, large, later]) expect(await afterEdit(file, () => undefined)).toMatchObject({ ok: true, problems: [] });
  });

  test('in any column of any table is found, and the row is named', async () => {
    expect(await tryEdits(small, ({ name }) => name !== 'hash_tile', editColumns)).toBeGreaterThan(150);
  });

  test('in any column of a tile is found, and the tile is named', async () => {
    expect(await tryEdits(large, ({ name }) => name === 'hash_tile', editColumns)).toBeGreaterThan(3);
  });

  test('in any column of a row that says where a payload is, or whose the log is now, is found, and the row is named', async () => {
    expect(await tryEdits(later, ({ name }) => LATER.includes(name), editColumns)).toBeGreaterThan(50);
  });

  test('has a row of every table in one of these', () => {
    const filled = [small, large, later].flatMap((file) => {
      const database = new Database(file, { readonly: true });
      const names = tablesOf(database).filter(({ name }) => database.prepare(`SELECT 1 FROM ${name}`).get() !== undefined);
      const all = tablesOf(database);
      database.close();
      return [{ names: names.map(({ name }) => name), all: all.map(({ name }) => name) }];
    });
    expect(new Set(filled.flatMap(({ names }) => names))).toEqual(new Set(filled[0]?.all));
  });

  test('by a row that was dropped is found, and the row is named', async () => {
    expect(await tryEdits(small, ({ name }) => name !== 'hash_tile', dropRow)).toBeGreaterThan(20);
    expect(await tryEdits(large, ({ name }) => name === 'hash_tile', dropRow)).toBe(1);
    expect(await tryEdits(later, ({ name }) => LATER.includes(name), dropRow)).toBeGreaterThan(5);
  });

  test('by two rows that were exchanged is found, and one of them is named', async () => {
    const exchanged: Parameters<typeof tryEdits>[2] = (table, row) => {
      const [last = ''] = table.key.slice(-1);
      const [here, there] = [Number(row[last]), Number(row[last]) + 1];
      const move = (from: number, to: number): [string, ...Value[]] => [`UPDATE ${table.name} SET ${last} = ? WHERE ${last} = ?`, to, from];
      const both = [here, there].map((value) => ({ ...row, [last]: value }));
      const keys = both.flatMap((each) => [keyOf(table, each), ...alsoNames(table, each)]);
      return [{ what: 'exchanged', keys, sql: [move(here, -7), move(there, here), move(-7, there)] }];
    };
    // a last row has no neighbour: its exchange moves it alone, which is an edit too
    await tryEdits(small, ({ name }) => !['hash_tile', 'ledger', 'subject'].includes(name), exchanged);
    await tryEdits(later, ({ name }) => LATER.includes(name), exchanged);
  });

  test('by a row that was put in is found, and the row is named', async () => {
    const putIn: Parameters<typeof tryEdits>[2] = (table, row) => {
      const [first = ''] = table.key;
      const added = { ...row, [first]: Number(row[first]) + 1_000 };
      const columns = Object.keys(added);
      const sql = `INSERT INTO ${table.name}(${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
      return [{ what: 'put in', keys: [keyOf(table, added), ...alsoNames(table, added)], sql: [[sql, ...Object.values(added)]] }];
    };
    await tryEdits(small, ({ name }) => name !== 'hash_tile', putIn);
    await tryEdits(large, ({ name }) => name === 'hash_tile', putIn);
    await tryEdits(later, ({ name }) => LATER.includes(name), putIn);
  });

  test.each([
    ['a trigger dropped', 'DROP TRIGGER log_entry_frozen', 'log_entry_frozen'],
    ['an index dropped', 'DROP INDEX log_entry_statement', 'log_entry_statement'],
    ['a table put in', 'CREATE TABLE more(a)', 'more'],
    ['another version', 'PRAGMA user_version = 99', 'version'],
  ])('by %s is found', async (_, sql, key) => {
    const copy = path.join(home.folder, 'edited.sqlite');
    copyFileSync(small, copy);
    const database = new Database(copy);
    database.exec(sql);
    database.close();
    const { ok, problems } = await verifyLedger({ file: copy, origin: ORIGIN });
    expect(ok).toBe(false);
    expect(problems.map((problem) => [problem.where, problem.key])).toContainEqual(['schema', key]);
  });

  test('in any byte of its file is found, or changes nothing that it says', async () => {
    const copy = path.join(home.folder, 'edited.sqlite');
    const bytes = readFileSync(small);
    const before = dump(small);
    let found = 0;
    // a prime step visits every part of a page
    for (let at = 17; at < bytes.length; at += 4001) {
      const edited = Buffer.from(bytes);
      edited[at]! ^= 0x55;
      writeFileSync(copy, edited);
      const report = await verifyLedger({ file: copy, origin: ORIGIN, checkpoint: kept.get(small) ?? '' });
      if (report.ok) expect(dump(copy), `byte ${at}`).toEqual(before);
      else found += 1;
    }
    expect(found).toBeGreaterThan(5);
  });
});

/** Everything that a ledger says. */
function dump(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return tablesOf(database).map(({ name, key }) => database.prepare(`SELECT * FROM ${name} ORDER BY ${key.join(', ')}`).all());
  } finally {
    database.close();
  }
}
