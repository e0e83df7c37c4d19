/** Rows D7 and D9: a document is erased, and all that named it still proves that it was there, says that it is not, by whose order and why. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256 } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { filesInTar } from '../support/read-tar.js';
import { expectJson } from '../support/run.js';
import { enrolSite } from '../support/site.js';

const WHY = 'names a colleague';
let dir: string;
let lane: TestLane;
let release: string;
/** A report that is in force, and one that no decision rests on. */
let inForce: string;
let personal: string;
let personalBytes: Buffer;
let result: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-erasure-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release);
  const junit = readFileSync(path.join(dir, 'junit.xml'));
  inForce = sha256(new Uint8Array(junit));
  personalBytes = Buffer.from(junit.toString().replace('</testsuite>', '<system-out>started by Carol</system-out></testsuite>'));
  personal = sha256(new Uint8Array(personalBytes));
  const report = path.join(dir, 'junit-2.xml');
  writeFileSync(report, personalBytes);
  const [added] = (await lane.sealane(['evidence', 'add', release, '--tests', report, '--key', 'lab'])).statements;
  result = added.digest;
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const blob = (digest: string): string => path.join(lane.lane, 'content', 'blobs', 'sha256', digest.slice('sha256:'.length));
const erase = (digest: string, exit = 0, key = 'registrar') => lane.sealane(['erase', digest, '--reason', WHY, '--key', key], exit);

/** Files below a folder in which a text stands. */
function holding(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

describe('D9 erasure', () => {
  it('refuses what sites need, what no test result names, and who is not the registrar; nothing goes', async () => {
    const { size } = (await lane.sealane(['audit', 'snapshot'])).answer;
    expect((await erase(inForce, 3)).error).toMatchObject({ code: 'CONTENT_IN_FORCE' });
    expect((await erase(release, 2)).error).toMatchObject({ code: 'STATEMENT_UNKNOWN' });
    expect((await erase(personal, 3, 'alice')).error).toMatchObject({ code: 'EVIDENCE_SIGNER' });
    expect((await erase('sha256:0', 2)).error).toMatchObject({ code: 'USAGE' });
    expect([inForce, release, personal].map((digest) => existsSync(blob(digest)))).toEqual([true, true, true]);
    expect((await lane.sealane(['audit', 'snapshot'])).answer.size).toBe(size);
    expect(holding(lane.home, 'Carol')).toEqual([blob(personal)]);
  });

  it('removes the bytes and leaves digest, statement and proof', async () => {
    const erased = await erase(personal);
    expect(erased).toMatchObject({
      statements: [{ predicateType: 'urn:sealane:erasure:v1' }],
      erased: [{ digest: personal, bytes: personalBytes.length }],
    });
    expect(holding(lane.home, 'Carol')).toEqual([]);
    const { bundle } = await lane.sealane(['log', 'prove', result]);
    expect(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()).toContain(personal.slice('sha256:'.length));
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, gone: [] });
    expect((await lane.sealane(['gc'])).files).toEqual([]);
  });

  it('goes on after a kill, and erases again what came back with an old copy, under the statement that is there', async () => {
    writeFileSync(blob(personal), personalBytes);
    const again = await erase(personal);
    expect(again.erased).toEqual([{ digest: personal, bytes: personalBytes.length }]);
    expect(existsSync(blob(personal))).toBe(false);
    expect((await erase(personal)).statements).toEqual(again.statements);
  });

  it('D7 the auditor says what was erased and why, and so does an export, which is checked without it', async () => {
    const [statement] = (await erase(personal)).statements;
    const cases = await lane.sealane(['audit', 'cases', release], 4);
    expect(cases.complete).toBe(false);
    expect(cases.answer.doubts).toEqual([
      {
        statement: result,
        logIndex: expect.any(Number),
        code: 'CONTENT_ERASED',
        message: expect.stringContaining(`was erased by the registrar in entry ${statement.logIndex}: ${WHY}`),
      },
    ]);
    expect(cases.statements).toContainEqual({ digest: statement.digest, logIndex: statement.logIndex });
    const { missing } = (await lane.sealane(['audit', 'evidence', release])).answer;
    expect(missing).toEqual([
      {
        what: 'report',
        digest: personal,
        statement: result,
        erased: { statement: statement.digest, logIndex: statement.logIndex, reason: WHY },
      },
    ]);
    const file = path.join(dir, 'export.tar');
    await lane.sealane(['audit', 'export', '--release', release, '--out', file]);
    const files = await filesInTar(file);
    const line = `${personal}: erased by the registrar in entry ${statement.logIndex}: ${WHY}`;
    for (const name of ['README.txt', 'index.html']) expect(Buffer.from(files.get(name) ?? '').toString()).toContain(line);
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    expect((await lane.sealane(['audit', 'check', file, '--root', root])).answer).toMatchObject({ ok: true });
  });

  it('a site installs, and a backup restores, without it', async () => {
    const site = await enrolSite(lane, path.join(dir, 'site'));
    try {
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
    } finally {
      await site.stop();
    }
    const [file, restored] = [path.join(dir, 'backup.tar'), path.join(dir, 'restored')];
    await lane.sealane(['backup', '--without-keys', '--out', file]);
    await expectJson('sealane', ['restore', file, '--home', restored]);
    expect(existsSync(path.join(restored, 'lane', 'content', 'blobs', 'sha256', path.basename(blob(personal))))).toBe(false);
    const { missing } = (await expectJson('sealane', ['audit', 'evidence', release, '--home', restored])).answer;
    expect(missing).toMatchObject([{ digest: personal, erased: { reason: WHY } }]);
  });
});
