/** Row D7: one file with everything to check a release or a period offline, complete by proof, readable without Sealane. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderExport } from '../../packages/auditor/src/export/render.js';
import { unpackExport } from '../../packages/auditor/src/export/unpack.js';
import { readLaneTrust } from '../../packages/auditor/src/lane-trust.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { filesInTar, tarOf } from '../support/read-tar.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, expectJson, runJson, runProgram } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const programs = ['cosign', 'openssl', 'python3', 'sha256sum'].map(requireProgram);
const SINCE_EVER = '2000-01-01T00:00:00Z/now';
type Files = ReadonlyMap<string, Buffer>;

let dir: string;
let lane: TestLane;
let site: TestSite;
let release: string;
let root: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d7-'));
  lane = await makeLane(dir);
  root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
  site = await enrolSite(lane, path.join(dir, 'site'));
  release = await lane.release('1.0.0');
  await lane.promote(release);
  await site.must(['update']);
  const receipts = path.join(dir, 'receipts');
  await site.must(['receipt', 'export', receipts]);
  await lane.sealane(['statement', 'add', path.join(receipts, 'harbour-7-00000001.json')]);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A time at which witnesses have seen all of the log; afterwards they see it again. */
async function aMomentLater(): Promise<string> {
  await lane.sealane(['publish']);
  await delay(1100);
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  await delay(1100);
  await lane.sealane(['publish']);
  return now;
}

/** An export with another period written over it, and every file that is made from it made again: what a promoter does who leaves something out. */
function renamed(files: Files, period: { readonly from?: string; readonly to?: string }): Files {
  const exported = unpackExport(files);
  const { policies } = readLaneTrust(readFileSync(root), (name) => exported.trust.get(name));
  if (exported.manifest.period === null) throw new Error('no period');
  const manifest = { ...exported.manifest, period: { ...exported.manifest.period, ...period } };
  return new Map([...renderExport({ ...exported, manifest }, policies)].map(([name, bytes]) => [name, Buffer.from(bytes)]));
}

let count = 0;

async function exported(...words: readonly string[]): Promise<{
  readonly file: string;
  readonly told: { statements: readonly { digest: string; logIndex: number }[]; answer: { size: number; digest: string } };
}> {
  const file = path.join(dir, `export-${(count += 1)}.tar`);
  return { file, told: await lane.sealane(['audit', 'export', ...words, '--out', file]) };
}

const check = (file: string): ReturnType<typeof runJson> => runJson('sealane', ['audit', 'check', file, '--root', root]);

/** The commands of a README: the lines that are indented by four spaces, in their order. */
function commandsOf(readme: string): string {
  const lines = readme.split('\n').filter((line) => line.startsWith('    '));
  return lines.map((line) => line.slice(4)).join('\n');
}

/** Lays files down and does what the README among them says, with no program of ours. */
async function follow(files: Files, readme = files.get('README.txt')?.toString() ?? ''): Promise<Ended> {
  const folder = mkdtempSync(path.join(dir, 'unpacked-'));
  for (const [name, bytes] of files) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), bytes);
  }
  const ended = await runProgram('/bin/sh', ['-c', commandsOf(readme)], { cwd: folder });
  rmSync(folder, { recursive: true });
  return ended;
}

/** The files with one changed, and the sums made to fit again: what somebody does who wants it unseen. */
function forged(files: Files, name: string, change: (bytes: Buffer) => Buffer): Files {
  const all = new Map(files).set(name, change(Buffer.from(files.get(name) ?? Buffer.alloc(0))));
  const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const names = [...all.keys()].filter((each) => each !== 'SHA256SUMS').sort();
  return all.set('SHA256SUMS', Buffer.from(names.map((each) => `${sum(all.get(each) ?? Buffer.alloc(0))}  ${each}\n`).join('')));
}

function flipped(bytes: Buffer, at = Math.floor(bytes.length / 2)): Buffer {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}

const nameIn = (files: Files, pattern: RegExp): string => [...files.keys()].find((name) => pattern.test(name)) ?? '';

describe('D7 an export', () => {
  it('is the same file whenever it is written from the same ledger, and is never written over another', async () => {
    const [one, two] = [await exported('--release', 'readings@1.0.0'), await exported('--release', release)];
    expect(two.told.answer.digest).toBe(one.told.answer.digest);
    expect(readFileSync(one.file).equals(readFileSync(two.file))).toBe(true);
    await lane.sealane(['audit', 'export', '--release', release, '--out', one.file], 2);
  });

  it.each([
    ['a release', ['--release', 'readings@1.0.0'], /^statements\/\d+\.bundle\.json$/],
    ['a site', ['--site', 'harbour-7'], /^statements\/\d+\.bundle\.json$/],
    ['a period', ['--period', SINCE_EVER], /^log\/tile\/0\/000\.p\/\d+$/],
  ])('of %s passes our own check by a root that the reader holds', async (_what, words, has) => {
    const { file, told } = await exported(...words);
    const { exit, json } = await check(file);
    expect({ exit, ...json.answer }).toMatchObject({ exit: 0, ok: true, problems: [], doubts: [] });
    expect(json.statements).toEqual(told.statements);
    expect(nameIn(await filesInTar(file), has)).not.toBe('');
  });

  it('of a period has every entry of the log from its beginning on, and of a release its reports and inventories as they came', async () => {
    const { told } = await exported('--period', SINCE_EVER);
    expect(told.statements.length).toBe(told.answer.size);
    expect(told.answer.size).toBeGreaterThanOrEqual(Number(readFileSync(path.join(lane.lane, 'log', 'checkpoint'), 'utf8').split('\n')[1]));
    const files = await filesInTar((await exported('--release', release)).file);
    const documents = [...files].filter(([name]) => name.startsWith('blobs/')).map(([, bytes]) => bytes.toString());
    expect(documents).toEqual(expect.arrayContaining([readFileSync(path.join(dir, 'junit.xml'), 'utf8')]));
    expect(documents.some((text) => text.includes('"bomFormat":"CycloneDX"') || text.includes('"bomFormat": "CycloneDX"'))).toBe(true);
  });

  it('is refused by another root, without one, and when it is no export', async () => {
    const { file } = await exported('--site', 'harbour-7');
    const other = path.join(dir, 'other');
    await expectJson('sealane', ['init', other]);
    const words = ['audit', 'check', file, '--root', path.join(other, 'lane', 'trust', 'metadata', '1.root.json')];
    expect((await runJson('sealane', words)).exit).toBe(4);
    expect((await runJson('sealane', ['audit', 'check', file])).exit).toBe(2);
    const backup = path.join(dir, 'backup.tar');
    await lane.sealane(['backup', '--without-keys', '--out', backup]);
    expect((await check(backup)).json.error.code).toBe('EXPORT_MALFORMED');
  });

  it('of a period that witnesses have not seen the end of is refused, and of none', async () => {
    const of = async (period: string, exit: number): Promise<string> =>
      (await lane.sealane(['audit', 'export', '--period', period, '--out', path.join(dir, 'none.tar')], exit)).error.code;
    expect(await of('2000-01-01T00:00:00Z/2999-01-01T00:00:00Z', 5)).toBe('PERIOD_OPEN');
    expect(await of('2000-01-01T00:00:00Z', 2)).toBe('USAGE');
    await lane.sealane(['audit', 'export', '--site', 'nowhere', '--out', path.join(dir, 'none.tar')], 2);
  });

  it('into a folder that is not there is refused, with the next step', async () => {
    const { error } = await lane.sealane(['audit', 'export', '--period', SINCE_EVER, '--out', path.join(dir, 'nowhere', 'x.tar')], 2);
    expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('make the folder') });
  });

  it('with any byte of any file changed fails our check, the sums fitting or not', async () => {
    const { file } = await exported('--period', SINCE_EVER);
    const files = await filesInTar(file);
    const kinds = [
      /^index/,
      /^README/,
      /^check-log/,
      /^manifest/,
      /\.csv$/,
      /^oscal/,
      /^keys/,
      /^blobs/,
      /\.entry$/,
      /\d\.json$/,
      /bundle/,
      /\d\.tlog-proof/,
    ];
    const more = [/first\.tlog/, /^log\/checkpoint$/, /^log\/checkpoints/, /^log\/tile/, /^log\/log/, /by-key/, /^trust\/targets\/policy/];
    for (const kind of [...kinds, ...more]) {
      const name = nameIn(files, kind);
      expect(name, String(kind)).not.toBe('');
      const bent = path.join(dir, 'bent.tar');
      writeFileSync(bent, await tarOf(forged(files, name, flipped)));
      expect((await check(bent)).exit, name).toBe(4);
    }
  });

  it('without one of its entries fails our check, though every other proof holds', async () => {
    const { file } = await exported('--period', SINCE_EVER);
    const files = await filesInTar(file);
    const less = new Map([...files].filter(([name]) => !name.startsWith('statements/00000003.')));
    const bent = path.join(dir, 'less.tar');
    writeFileSync(bent, await tarOf(forged(less, 'README.txt', (bytes) => bytes)));
    const { exit, json } = await check(bent);
    expect({ exit, where: json.answer.problems[0] }).toMatchObject({ exit: 4, where: { where: 'entry', key: '3' } });
  });
});

describe.skipIf(programs.includes(undefined))('D7 README.txt (skipped without cosign, openssl, python3, sha256sum)', () => {
  it('leads whoever follows it through a whole export with common tools', async () => {
    for (const words of [
      ['--release', release],
      ['--period', SINCE_EVER],
    ]) {
      const { file, told } = await exported(...words);
      const { exit, stdout, stderr } = await follow(await filesInTar(file));
      expect(exit, stdout + stderr).toBe(0);
      expect(stdout).toMatch(/was seen by log\/witness-1\.pem at 20\d\d-/);
      expect(stdout).toContain(`${told.statements.length} statements are in the log of ${lane.origin}`);
      expect(stdout.includes('none from entry 0 on was left out')).toBe(words[0] === '--period');
    }
  });

  it('says no when a byte of any kind of file is changed, and when what is signed or logged is changed with the sums', async () => {
    const files = await filesInTar((await exported('--period', SINCE_EVER)).file);
    for (const name of [...files.keys()].filter((each) => !/^statements\/(?!00000004)/.test(each))) {
      const bent = new Map(files).set(name, flipped(Buffer.from(files.get(name) ?? '')));
      expect((await follow(bent, files.get('README.txt')?.toString())).exit, name).not.toBe(0);
    }
    const signed = [
      /4\.bundle/,
      /4\.entry/,
      /4\.json/,
      /4\.tlog-proof/,
      /4\.first\.tlog-proof/,
      /^keys/,
      /^blobs/,
      /^log\/checkpoint$/,
      /^log\/checkpoints/,
      /^log\/tile/,
      /log-1\.pem/,
      /witness-1\.pem/,
    ];
    for (const kind of signed) {
      const name = nameIn(files, kind);
      const bent = forged(files, name, flipped);
      expect((await follow(bent)).exit, name).not.toBe(0);
    }
  });

  it.each(['log/signatures.txt', 'statements/by-key.txt'])(
    'says no when a line of %s was taken out, so that less is checked',
    async (name) => {
      const files = await filesInTar((await exported('--release', release)).file);
      const lines = (bytes: Buffer): readonly string[] => bytes.toString().split(/(?<=\n)/);
      for (const at of [0, lines(files.get(name) ?? Buffer.alloc(0)).length - 1]) {
        const bent = forged(files, name, (bytes) => Buffer.from(lines(bytes).toSpliced(at, 1).join('')));
        expect((await follow(bent)).exit, `${name} ${at}`).not.toBe(0);
      }
    },
  );

  it('and our check find a period that was given other dates, so that what lies at its borders is left out', async () => {
    const before = await aMomentLater();
    const again = await lane.release('1.1.0');
    const between = await aMomentLater();
    await lane.sealane(['revoke', again, '--reason', 'broken']);
    const after = await aMomentLater();
    const verdicts = async (files: Files): Promise<unknown> => {
      const bent = path.join(dir, `bent-${(count += 1)}.tar`);
      writeFileSync(bent, await tarOf(files));
      const { exit, json } = await check(bent);
      return { ours: exit, key: json.answer.problems[0]?.key, theirs: (await follow(files)).exit };
    };
    const files = async (period: string): Promise<Files> => await filesInTar((await exported('--period', period)).file);
    expect(await verdicts(await files(`${before}/${after}`))).toEqual({ ours: 0, key: undefined, theirs: 0 });
    const [late, early] = [await files(`${between}/now`), await files(`${before}/${between}`)];
    // the release was before the first, and its revocation came after the second
    expect(await verdicts(renamed(late, { from: before }))).toEqual({ ours: 4, key: 'from', theirs: 1 });
    expect(await verdicts(renamed(early, { to: after }))).toEqual({ ours: 4, key: 'to', theirs: 1 });
    expect(await verdicts(renamed(early, {}))).toEqual({ ours: 0, key: undefined, theirs: 0 });
  });

  it('leads through a period that begins after quiet days, in which the log was signed anew and nothing came', async () => {
    const late = await enrolSite(lane, path.join(dir, 'late'), { name: 'harbour-8' });
    await lane.sealane(['publish']);
    const from = await aMomentLater();
    await late.must(['update']);
    const receipts = path.join(dir, 'late-receipts');
    await late.must(['receipt', 'export', receipts]);
    await lane.sealane(['statement', 'add', path.join(receipts, 'harbour-8-00000001.json')]);
    await lane.sealane(['publish']);
    const { file, told } = await exported('--period', `${from}/now`);
    // the record of the site, from before, and its receipt
    expect(told.statements.length).toBe(2);
    expect((await check(file)).json.answer).toMatchObject({ ok: true, problems: [], doubts: [] });
    const { exit, stdout, stderr } = await follow(await filesInTar(file));
    expect(exit, stdout + stderr).toBe(0);
    await late.stop();
  });

  it('finds an entry of a period that was left out', async () => {
    const files = await filesInTar((await exported('--period', SINCE_EVER)).file);
    const less = new Map([...files].filter(([name]) => !name.startsWith('statements/00000003.')));
    const { exit, stdout, stderr } = await follow(
      forged(less, 'statements/by-key.txt', (bytes) => Buffer.from(bytes.toString().replace(/^00000003 .*\n/m, ''))),
    );
    expect({ exit, stderr: stderr.trim() }, stdout).toMatchObject({ exit: 1, stderr: expect.stringContaining('entry 3 is missing') });
  });
});
