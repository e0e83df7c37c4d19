import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type ErrorCode,
  hex,
  leafHash,
  logLeaf,
  openNote,
  parseCheckpoint,
  parseVkey,
  sha256,
  statementDigestOf,
  utf8,
  verifyConsistency,
  verifyInclusion,
} from '@sealane/core';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ed25519NoteSigner } from './note-signer.js';
import { openLedger } from './open-ledger.js';
import { fsckLedger } from './verify/fsck.js';
import { numbered, oneOfEach, signed, testKey } from './testing/statements.js';
import { NOW, ORIGIN, type TestHome, testHome } from './testing/open.js';
import { generateKeyPairSync } from 'node:crypto';

const author = testKey();
const site = testKey();
let home: TestHome;

beforeEach(() => {
  home = testHome();
});
afterEach(() => {
  home.remove();
});

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;
const release = sha256(utf8('release 1'));

test('logs statements and proves every one of them at every size', async () => {
  const ledger = await home.open();
  const entries = oneOfEach(author, site);
  const results = await ledger.append(entries);
  expect(results.map(({ index, existed }) => [index, existed])).toEqual(entries.map((_, index) => [index, false]));
  for (let size = 1; size <= entries.length; size += 1) {
    const root = await ledger.rootAt(size);
    for (let index = 0; index < size; index += 1) {
      const proof = await ledger.inclusionProof(index, size);
      verifyInclusion({ leafHash: leafHash(await ledger.leaf(index)), index, size, proof, root });
    }
    verifyConsistency({
      size1: size,
      size2: entries.length,
      root1: root,
      root2: await ledger.rootAt(entries.length),
      proof: await ledger.consistencyProof(size, entries.length),
    });
  }
  const { root } = await ledger.head();
  expect(hex(await ledger.rootAt(entries.length))).toBe(hex(root));
  await ledger.close();
});

test('gives back the envelope, key, statement, digest and time of an entry', async () => {
  const ledger = await home.open();
  const [entry] = oneOfEach(author, site);
  await ledger.append([entry!]);
  const read = await ledger.entry(0);
  expect(read).toMatchObject({
    index: 0,
    keyId: author.id,
    loggedAt: NOW,
    statementDigest: statementDigestOf(entry!.envelope),
    envelope: entry!.envelope,
  });
  expect(read.statement.predicate).toMatchObject({ name: 'api' });
  expect(hex(await ledger.leaf(0))).toBe(hex(logLeaf(read.envelope, read.spki)));
  expect(await ledger.byStatement(read.statementDigest)).toHaveLength(1);
  await expect(ledger.entry(1)).rejects.toEqual(withCode('STATEMENT_UNKNOWN'));
  await ledger.close();
});

test('keeps the first index of a statement by one key, in one batch and later, and logs it again for another key', async () => {
  const ledger = await home.open();
  // two signatures over the same payload: ECDSA gives different ones each time
  const again = (): ReturnType<typeof signed> => signed(author, 'urn:example:v1', { same: true });
  const results = await ledger.append([again(), again(), signed(site, 'urn:example:v1', { same: true })]);
  expect(results.map(({ index, existed }) => [index, existed])).toEqual([
    [0, false],
    [0, true],
    [1, false],
  ]);
  expect((await ledger.append([again()]))[0]).toMatchObject({ index: 0, existed: true });
  expect(await ledger.size()).toBe(2);
  await ledger.close();
});

test('refuses a statement by another key, one that is none, and one of ours with a field missing, and logs nothing', async () => {
  const ledger = await home.open();
  const good = numbered(author, 1);
  await expect(ledger.append([good, { ...numbered(author, 2), spki: site.spki }])).rejects.toEqual(withCode('STATEMENT_SIGNATURE'));
  await expect(ledger.append([signed(author, 'urn:sealane:release:v1', { name: 'api' })])).rejects.toEqual(withCode('STATEMENT_MALFORMED'));
  await expect(ledger.append([{ ...good, envelope: { ...good.envelope, payloadType: 'text/plain' } }])).rejects.toEqual(
    withCode('ENVELOPE_MALFORMED'),
  );
  expect(await ledger.size()).toBe(0);
  await ledger.close();
});

test('appends that come together share a commit, and each gets its own places', async () => {
  const ledger = await home.open();
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ledger.append([numbered(author, 2 * n), numbered(author, 2 * n + 1)])),
  );
  expect(results.flat().map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, index) => index));
  await ledger.close();
  const rows = new Database(home.file, { readonly: true });
  expect(rows.prepare('SELECT count(*) FROM log_commit').pluck().get()).toBe(1);
  rows.close();
});

test('is durable by its settings: full synchronous, write-ahead log, own file mode', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  expect(statSync(home.file).mode & 0o777).toBe(0o600);
  await ledger.close();
  const other = new Database(home.file);
  expect(other.pragma('journal_mode', { simple: true })).toBe('wal');
  other.close();
});

test('goes on where another process has appended meanwhile', async () => {
  const [one, two] = [await home.open(), await home.open()];
  for (let n = 0; n < 30; n += 2) {
    expect((await one.append([numbered(author, n)]))[0]).toMatchObject({ index: n });
    expect((await two.append([numbered(author, n + 1)]))[0]).toMatchObject({ index: n + 1 });
  }
  const report = await one.verify();
  expect(report).toMatchObject({ ok: true, size: 30 });
  await one.close();
  await two.close();
});

test('crosses tile borders: 600 entries, and the tree opened anew goes on', async () => {
  const first = await home.open();
  await first.append(Array.from({ length: 255 }, (_, n) => numbered(author, n)));
  await first.append(Array.from({ length: 2 }, (_, n) => numbered(author, 255 + n)));
  await first.close();
  const second = await home.open();
  await second.append(Array.from({ length: 343 }, (_, n) => numbered(author, 257 + n)));
  const root = await second.rootAt(600);
  for (const index of [0, 255, 256, 511, 599]) {
    verifyInclusion({
      leafHash: leafHash(await second.leaf(index)),
      index,
      size: 600,
      proof: await second.inclusionProof(index, 600),
      root,
    });
  }
  expect(await second.verify()).toMatchObject({ ok: true, problems: [], size: 600 });
  await second.close();
});

test('answers from the projection, and the same after it is rebuilt', async () => {
  const ledger = await home.open();
  await ledger.append(oneOfEach(author, site));
  const answers = async (): Promise<object> => ({
    about: (await ledger.statementsAbout(release)).map(({ index }) => index),
    tests: (await ledger.statementsAbout(release, 'https://in-toto.io/attestation/test-result/v0.1')).map(({ index }) => index),
    by: (await ledger.statementsBy(site.id)).map(({ index }) => index),
    releases: await ledger.releases(),
    named: await ledger.releaseByName('api', '1.0.0'),
    unnamed: await ledger.releaseByName('api', '1.0.1'),
    decisions: await ledger.decisions({ stage: 'prod', release }),
    elsewhere: await ledger.decisions({ stage: 'dev' }),
    approvals: await ledger.approvals({ release }),
    results: await ledger.testResults(release),
    revocations: await ledger.revocations(),
    sites: await ledger.sites('shop-17'),
    receipts: await ledger.receiptsOf('shop-17'),
    latest: await ledger.latestReceipts(),
    keys: (await ledger.keysSeen()).map(({ keyId, firstIndex }) => [keyId, firstIndex]),
  });
  const before = await answers();
  expect(before).toMatchObject({
    about: [0, 1, 2, 3, 4, 5, 6, 7],
    tests: [2],
    by: [7],
    releases: [{ index: 0, release, name: 'api', version: '1.0.0', keyId: author.id }],
    named: [{ index: 0 }],
    unnamed: [],
    decisions: [{ index: 4, release, stage: 'prod', from: 'dev', counter: 1, result: 'PASSED' }],
    elsewhere: [],
    approvals: [{ index: 3, verdict: 'approve', stage: 'prod' }],
    results: [{ index: 2, result: 'PASSED', suite: 'unit', hardware: sha256(utf8('hbom')) }],
    revocations: [{ index: 5, reason: 'broken', floor: 2 }],
    sites: [{ index: 6, site: 'shop-17', siteKeyId: site.id, stage: 'prod' }],
    receipts: [{ index: 7, site: 'shop-17', seq: 1, event: 'installed', release, prev: sha256(utf8('receipt 0')) }],
    latest: [{ index: 7 }],
    keys: [
      [author.id, 0],
      [site.id, 7],
    ],
  });
  await ledger.rebuildProjection();
  expect(await answers()).toEqual(before);
  expect(await ledger.verify()).toMatchObject({ ok: true });
  await ledger.close();
});

test('signs its head, and saves cosigned checkpoints in the order in which they came', async () => {
  const ledger = await home.open();
  const notes: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    await ledger.append([numbered(author, n)]);
    const note = await ledger.checkpointNote();
    expect(openNote(note, [parseVkey(ledger.vkey)]).verified).toHaveLength(1);
    expect(parseCheckpoint(note)).toMatchObject({ origin: ORIGIN, size: n + 1 });
    notes.push(home.cosigned(note, 1_000 + n));
  }
  expect(await ledger.latestCosigned()).toBeNull();
  await ledger.saveCosigned(notes[1]!);
  await ledger.saveCosigned(notes[2]!);
  await ledger.saveCosigned(notes[0]!);
  await ledger.saveCosigned(notes[2]!);
  expect(await ledger.latestCosigned()).toBe(notes[2]);
  // the first that was saved: an answer once given stays
  expect(await ledger.firstCosignedCovering(0)).toBe(notes[1]);
  expect(await ledger.firstCosignedCovering(0, (note) => note !== notes[1])).toBe(notes[2]);
  expect(await ledger.firstCosignedCovering(2)).toBe(notes[2]);
  expect(await ledger.firstCosignedCovering(3)).toBeNull();
  expect(await ledger.verify()).toMatchObject({ ok: true });
  await ledger.close();
});

test('takes no checkpoint that is another log’s, unsigned, uncosigned, or of another tree', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  const own = await ledger.checkpointNote();
  await expect(ledger.saveCosigned(own)).rejects.toEqual(withCode('LOG_WITNESS'));
  const other = testHome();
  const stranger = await other.open();
  await stranger.append([numbered(author, 2)]);
  await expect(ledger.saveCosigned(other.cosigned(await stranger.checkpointNote()))).rejects.toEqual(withCode('LOG_NOT_INCLUDED'));
  await stranger.close();
  other.remove();
  expect(await ledger.latestCosigned()).toBeNull();
  expect((await ledger.append([numbered(author, 3)]))[0]).toMatchObject({ index: 1 });
  await ledger.close();
});

test('refuses to sign after an old copy was restored, however far the copy is appended to elsewhere', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  const backup = path.join(home.folder, 'backup.sqlite');
  await ledger.copyTo(backup);
  await ledger.append([numbered(author, 2)]);
  await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  await ledger.close();
  copyFileSync(backup, home.file);
  const restored = await home.open();
  expect(await restored.size()).toBe(1);
  await expect(restored.append([numbered(author, 3)])).rejects.toEqual(withCode('LOG_RESTORED'));
  expect(await restored.size()).toBe(1);
  await restored.close();
  // grown where the anchor is not: as long again, and still not the log that was witnessed
  const grown = await home.openCopy(backup);
  await grown.append([numbered(author, 3), numbered(author, 4)]);
  await grown.close();
  copyFileSync(backup, home.file);
  const forked = await home.open();
  await expect(forked.append([numbered(author, 5)])).rejects.toEqual(withCode('LOG_FORK'));
  await forked.close();
});

test('refuses to sign for good once it has seen a checkpoint of its own that it does not know', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  const backup = path.join(home.folder, 'backup.sqlite');
  await ledger.copyTo(backup);
  await ledger.append([numbered(author, 2)]);
  const lost = await ledger.checkpointNote();
  await ledger.close();
  const restored = await home.openCopy(backup);
  await restored.append([numbered(author, 7)]);
  await expect(restored.observe(lost)).rejects.toEqual(withCode('LOG_FORK'));
  await expect(restored.append([numbered(author, 8)])).rejects.toEqual(withCode('LOG_FORK'));
  await restored.close();
  const again = await home.openCopy(backup);
  await expect(again.append([numbered(author, 8)])).rejects.toEqual(withCode('LOG_FORK'));
  await again.close();
});

test('what it refuses for is not forgotten when a checkpoint that fits comes after it, nor when it is opened again', async () => {
  const ledger = await home.open();
  await ledger.append([numbered(author, 1)]);
  const backup = path.join(home.folder, 'backup.sqlite');
  await ledger.copyTo(backup);
  await ledger.append([numbered(author, 2)]);
  const lost = await ledger.checkpointNote();
  await ledger.close();
  const restored = await home.openCopy(backup);
  await restored.append([numbered(author, 7), numbered(author, 8)]);
  const fitting = home.cosigned(await restored.checkpointNote());
  await restored.saveCosigned(fitting);
  const anchor = readFileSync(`${backup}.anchor`);
  await expect(restored.observe(lost)).rejects.toEqual(withCode('LOG_FORK'));
  await expect(restored.observe(fitting)).rejects.toEqual(withCode('LOG_FORK'));
  await expect(restored.saveCosigned(fitting)).rejects.toEqual(withCode('LOG_FORK'));
  await restored.close();
  const again = await home.openCopy(backup);
  await expect(again.append([numbered(author, 9)])).rejects.toEqual(withCode('LOG_FORK'));
  await again.close();
  // the anchor alone is what it refuses for
  writeFileSync(`${backup}.anchor`, anchor);
  const freed = await home.openCopy(backup);
  expect((await freed.append([numbered(author, 9)]))[0]).toMatchObject({ index: 3 });
  await freed.close();
});

test('two open ledgers share one anchor: it never goes back, and both heed it', async () => {
  const [one, two] = [await home.open(), await home.open()];
  await one.append([numbered(author, 1)]);
  const early = home.cosigned(await one.checkpointNote());
  await two.append([numbered(author, 2)]);
  const late = home.cosigned(await two.checkpointNote());
  await two.saveCosigned(late);
  await one.saveCosigned(early);
  expect(readFileSync(`${home.file}.anchor`, 'utf8')).toBe(late);
  writeFileSync(`${home.file}.anchor`, early.slice(0, 40));
  await expect(one.append([numbered(author, 3)])).rejects.toEqual(withCode('LEDGER_DAMAGED'));
  await expect(two.append([numbered(author, 3)])).rejects.toEqual(withCode('LEDGER_DAMAGED'));
  await one.close();
  await two.close();
});

test('opens for reading without a key, and refuses to write; refuses another origin, another key, no file, no ledger', async () => {
  const made = await home.open();
  await made.append([numbered(author, 1)]);
  await made.close();
  const reader = await openLedger({ file: home.file, origin: ORIGIN, now: () => NOW });
  expect(await reader.size()).toBe(1);
  expect(parseCheckpoint(await reader.checkpointNote()).size).toBe(1);
  await expect(reader.append([numbered(author, 2)])).rejects.toEqual(withCode('LEDGER_READ_ONLY'));
  await expect(reader.rebuildProjection()).rejects.toEqual(withCode('LEDGER_READ_ONLY'));
  await reader.close();
  const otherKey = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
  await expect(openLedger({ file: home.file, origin: 'other.example', now: () => NOW })).rejects.toEqual(withCode('LEDGER_MISMATCH'));
  await expect(openLedger({ file: home.file, origin: ORIGIN, logSigner: otherKey, now: () => NOW })).rejects.toEqual(
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
  const rows = new Database(home.file);
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
  const rows = new Database(home.file);
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
    expect((await fsckLedger(home.file)).problems).toMatchObject([{ where: 'schema', key: 'envelope_kept' }]);
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
  expect(await fsckLedger(home.file)).toEqual({ ok: true, origin: ORIGIN, size: 5, problems: [], gone: [] });
  copyFileSync(`${home.file}.anchor`, `${backup}.anchor`);
  expect(await fsckLedger(backup)).toMatchObject({ ok: false, size: 4, problems: [{ where: 'anchor', key: '5' }], gone: [] });
  const rows = new Database(home.file);
  const kept = rows.prepare("SELECT sql FROM sqlite_schema WHERE name = 'envelope_kept'").pluck().get() as string;
  rows.exec(`DROP TRIGGER envelope_kept; DELETE FROM envelope WHERE idx IN (1, 3); ${kept}`);
  rows.close();
  const report = await fsckLedger(home.file);
  expect(report.gone).toEqual([1, 3].map((at) => ({ logIndex: at, digest: appended[at]!.statementDigest })));
  expect(report.problems.map(({ where, key }) => [where, key])).toEqual([
    ['entry', '1'],
    ['entry', '3'],
  ]);
});
