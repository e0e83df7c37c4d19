/** Row D9: documents of test results in the archive. Every command answers as before, sites and gates have what they need, and what cannot be reached decides nothing. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256 } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { filesInTar } from '../support/read-tar.js';
import { expectJson, runJson } from '../support/run.js';
import { enrolSite } from '../support/site.js';

const CAROL = 'started by Carol';
let dir: string;
let lane: TestLane;
/** Offered by every stage; one that nobody offers, with a report of its own; and one whose report names somebody. */
let offered: string;
let older: string;
let report: string;
let third: string;
let personal: string;
let cold: string;
/** The home before anything was archived. */
let hot: string;
let asked: readonly (readonly string[])[];
let answers: readonly unknown[];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-documents-'));
  lane = await makeLane(dir);
  offered = await lane.release('1.0.0');
  await lane.promote(offered);
  older = await lane.release('2.0.0');
  await lane.sealane(['evidence', 'add', older, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
  report = await tested(older, 'run 2');
  third = await lane.release('3.0.0');
  personal = await tested(third, CAROL);
  await lane.release('4.0.0');
  await lane.sealane(['publish']);
  cold = path.join(dir, 'cold');
  hot = path.join(dir, 'hot');
  cpSync(lane.home, hot, { recursive: true, verbatimSymlinks: true });
  asked = [['audit', 'cases', older], ['audit', 'evidence', older], ['plan', older, '--to', 'dev'], ['audit', 'trace', older], ['gc']];
  answers = await ask(lane.home);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Adds a report with this output; its digest. */
async function tested(release: string, output: string): Promise<string> {
  const file = path.join(dir, `${output}.xml`);
  const junit = readFileSync(path.join(dir, 'junit.xml'), 'utf8').replace('</testsuite>', `<system-out>${output}</system-out></testsuite>`);
  writeFileSync(file, junit);
  await lane.sealane(['evidence', 'add', release, '--tests', file, '--hardware', lane.hardware, '--key', 'lab']);
  return sha256(new Uint8Array(Buffer.from(junit)));
}

async function ask(home: string): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (const words of asked) {
    const { json } = await runJson('sealane', [...words, '--home', home]);
    // a blob less is kept
    all.push(words[0] === 'gc' ? { ...json, kept: undefined, keptAsNew: undefined } : json);
  }
  return all;
}

const blob = (home: string, digest: string): string =>
  path.join(home, 'lane', 'content', 'blobs', 'sha256', digest.slice('sha256:'.length));
const archive = (home: string, folder: string): readonly string[] => {
  return ['ledger', 'archive', '--before', '1000', '--type', 'document', '--to', `oci:${folder}`, '--home', home];
};
const erase = (): readonly string[] => ['erase', personal, '--reason', 'names a colleague', '--key', 'registrar', '--home', lane.home];

describe('D9 documents in the archive', () => {
  it('takes those that no site needs, of old test results, and leaves statements where they are', async () => {
    const answered = await expectJson('sealane', archive(lane.home, cold));
    expect(answered).toMatchObject({ entries: 0, documents: { count: 2, packs: 1 } });
    expect(existsSync(blob(lane.home, report))).toBe(false);
    const kept = [sha256(new Uint8Array(readFileSync(path.join(dir, 'junit.xml')))), sha256(new Uint8Array(readFileSync(lane.hardware)))];
    expect(kept.map((digest) => existsSync(blob(lane.home, digest)))).toEqual([true, true]);
    expect(await expectJson('sealane', archive(lane.home, cold))).toMatchObject({ documents: { count: 0 } });
  });

  it('every command answers as before, and ledger and export are whole', async () => {
    expect(await ask(lane.home)).toEqual(answers);
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, gone: [] });
    const file = path.join(dir, 'export.tar');
    await lane.sealane(['audit', 'export', '--release', third, '--out', file]);
    expect([...(await filesInTar(file)).values()].some((bytes) => Buffer.from(bytes).includes(CAROL))).toBe(true);
    expect(existsSync(blob(lane.home, report))).toBe(false);
  });

  it('away is not gone: what rests on it says that it cannot be reached, and nothing is decided; verification needs none', async () => {
    renameSync(cold, `${cold}.away`);
    for (const words of [
      ...asked.slice(0, 3),
      ['promote', older, '--to', 'dev'],
      ['audit', 'export', '--release', older, '--out', 'x.tar'],
    ]) {
      const { exit, json } = await runJson('sealane', [...words, '--home', lane.home]);
      expect([words.join(' '), exit, json.error?.code]).toEqual([words.join(' '), 6, 'ARCHIVE_UNREACHABLE']);
    }
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    expect((await runJson('sealane', erase())).json.error.code).toBe('ARCHIVE_UNREACHABLE');
    const [file, restored] = [path.join(dir, 'backup.tar'), path.join(dir, 'restored')];
    await lane.sealane(['backup', '--without-keys', '--out', file]);
    renameSync(`${cold}.away`, cold);
    await expectJson('sealane', ['restore', file, '--home', restored]);
    expect((await expectJson('sealane', ['audit', 'cases', older, '--home', restored])).answer).toEqual(
      (answers[0] as { answer: unknown }).answer,
    );
  });

  it('is not erased while a pack has it', async () => {
    const { exit, json } = await runJson('sealane', erase());
    expect({ exit, code: json.error.code }).toEqual({ exit: 3, code: 'STATEMENT_ARCHIVED' });
  });

  it('comes back with the waybill that lists it, so that sites install', async () => {
    for (const stage of ['dev', 'edge-preprod', 'prod']) {
      if (stage === 'prod') for (const person of ['alice', 'bob']) await lane.sealane(['approve', older, '--to', stage, '--key', person]);
      await lane.sealane(['promote', older, '--to', stage]);
    }
    expect(existsSync(blob(lane.home, report))).toBe(true);
    const site = await enrolSite(lane, path.join(dir, 'site'));
    try {
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: older });
    } finally {
      await site.stop();
    }
    expect(await expectJson('sealane', archive(lane.home, cold))).toMatchObject({ documents: { count: 0 } });
  });

  it('comes back by thaw, and once it is in no pack any more it is erased for good', async () => {
    cpSync(cold, `${cold}.copy`, { recursive: true });
    expect(await lane.sealane(['ledger', 'thaw'])).toMatchObject({ entries: 0, documents: 1 });
    expect(existsSync(blob(lane.home, personal))).toBe(true);
    for (const pack of packsIn(cold)) rmSync(pack);
    await expectJson('sealane', erase());
    expect(existsSync(blob(lane.home, personal))).toBe(false);
    // an old copy of the archive brings nothing back
    rmSync(cold, { recursive: true });
    renameSync(`${cold}.copy`, cold);
    expect(await lane.sealane(['ledger', 'thaw'])).toMatchObject({ documents: 0 });
    const { missing } = (await lane.sealane(['audit', 'evidence', third])).answer;
    expect(missing).toMatchObject([{ digest: personal, erased: { reason: 'names a colleague' } }]);
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
  });

  it.each(['ledger:packs-copied', 'ledger:packs-offered', 'ledger:moved-out'])(
    'killed at %s has lost nothing, and the same command goes on',
    async (point) => {
      const [home, folder] = [path.join(dir, `killed-${point.slice(7)}`), path.join(dir, `cold-${point.slice(7)}`)];
      cpSync(hot, home, { recursive: true, verbatimSymlinks: true });
      await killAt(point, 'sealane', [...archive(home, folder), '--json']);
      expect(existsSync(blob(home, report))).toBe(true);
      expect(await expectJson('sealane', archive(home, folder))).toMatchObject({ documents: { count: 2 } });
      expect([report, personal].map((digest) => existsSync(blob(home, digest)))).toEqual([false, false]);
      expect(await ask(home)).toEqual(answers);
      expect((await expectJson('sealane', ['audit', 'verify', '--home', home])).answer).toEqual({ ok: true, problems: [] });
    },
  );
});

function packsIn(folder: string): readonly string[] {
  const blobs = path.join(folder, 'blobs', 'sha256');
  return readdirSync(blobs)
    .map((name) => path.join(blobs, name))
    .filter((file) => readFileSync(file)[0] === 0x1f);
}
