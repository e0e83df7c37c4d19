/** Row D7: an export of a release has what was said of its parts alone too, held against a naive list of the whole log. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildImage, openLayout, packedFile } from '@sealane/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderExport } from '../../packages/auditor/src/export/render.js';
import { unpackExport } from '../../packages/auditor/src/export/unpack.js';
import { readLaneTrust } from '../../packages/auditor/src/lane-trust.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { filesInTar, tarOf } from '../support/read-tar.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, runJson, runProgram } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const SCAN = 'https://in-toto.io/attestation/vulns/v0.2';
const BOM = 'https://cyclonedx.org/bom';
const python = requireProgram('python3');
type Files = ReadonlyMap<string, Buffer>;
/** What a statement says that a naive reader of the log looks at. */
interface Said {
  readonly index: number;
  readonly predicateType: string;
  readonly subjects: readonly string[];
}

let dir: string;
let lane: TestLane;
let site: TestSite;
let root: string;
/** An image of two platforms that two releases have; `other` has another. */
let image: { readonly index: string; readonly platforms: readonly string[] };
let one: string;
let two: string;
let other: string;
let statements: readonly Said[];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d7-parts-'));
  lane = await makeLane(dir, { pipeline: (text) => text.replace('signers:\n', 'signers:\n  scans: [lab]\n  sboms: [builder]\n') });
  root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
  site = await enrolSite(lane, path.join(dir, 'site'));
  image = await imageOfTwoPlatforms(path.join(dir, 'image'));
  one = await releaseOf('1.0.0');
  two = await releaseOf('1.0.1');
  other = await lane.release('2.0.0');
  await add(one, '--scan', about(SCAN, [image.index]), 'lab');
  await add(one, '--sbom', about(BOM, [image.platforms[1] ?? '']), 'builder');
  await add(two, '--scan', about(SCAN, [two, image.platforms[0] ?? '']), 'lab');
  await add(other, '--scan', about(SCAN, [partsOf(other)[0] ?? '']), 'lab');
  await lane.promote(one);
  await lane.promote(two, 'dev');
  await site.must(['update']);
  const receipts = path.join(dir, 'receipts');
  await site.must(['receipt', 'export', receipts]);
  await lane.sealane(['statement', 'add', path.join(receipts, 'harbour-7-00000001.json')]);
  statements = saidIn(await exported('--period', '2000-01-01T00:00:00Z/now'));
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function imageOfTwoPlatforms(folder: string): Promise<typeof image> {
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const manifests = [];
  for (const architecture of ['amd64', 'arm64']) {
    const platform = { os: 'linux', architecture };
    const layers = [[packedFile('srv/version', Buffer.from(`for ${architecture}\n`))]];
    manifests.push({ ...(await buildImage(layout, { platform, layers, config: {} })), platform });
  }
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  const { digest } = await layout.putBlob(bytes, { maxBytes: bytes.length });
  return { index: digest, platforms: manifests.map((manifest) => manifest.digest) };
}

async function releaseOf(version: string): Promise<string> {
  const reference = `app=oci:${path.join(dir, 'image')}@${image.index}`;
  const words = ['release', 'create', '--name', 'readings', '--version', version, '--image', reference, '--key', 'author'];
  return (await lane.sealane(words)).release;
}

let count = 0;

/** A file with a whole in-toto statement, as scanners write it, about these alone. */
function about(predicateType: string, subjects: readonly string[]): string {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const scanner = { uri: 'pkg:github/scanner@1', version: String(count), db: { lastUpdate: now }, result: [] };
  const scan = { scanner, metadata: { scanStartedOn: now, scanFinishedOn: now } };
  const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'library', name: 'left-pad', version: '1.0.0' }] };
  const subject = subjects.map((digest) => ({ digest: { sha256: digest.slice('sha256:'.length) } }));
  const file = path.join(dir, `statement-${(count += 1)}.json`);
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: predicateType === SCAN ? scan : bom };
  writeFileSync(file, JSON.stringify(statement));
  return file;
}

async function add(release: string, flag: string, file: string, key: string): Promise<void> {
  await lane.sealane(['evidence', 'add', release, flag, file, '--key', key]);
}

async function exported(...words: readonly string[]): Promise<Files> {
  const file = path.join(dir, `export-${(count += 1)}.tar`);
  await lane.sealane(['audit', 'export', ...words, '--out', file]);
  return await filesInTar(file);
}

function saidIn(files: Files): readonly Said[] {
  return [...files].flatMap(([name, bytes]) => {
    const [, index] = /^statements\/(\d+)\.json$/.exec(name) ?? [];
    if (index === undefined) return [];
    const { predicateType, subject } = JSON.parse(bytes.toString());
    const subjects = subject.map(({ digest }: { digest: { sha256: string } }) => `sha256:${digest.sha256}`);
    return [{ index: Number(index), predicateType, subjects }];
  });
}

/** The digests that a release's manifest names, and those that a manifest among them names. */
function partsOf(digest: string, depth = 0): readonly string[] {
  const bytes = readFileSync(path.join(lane.lane, 'content', 'blobs', 'sha256', digest.slice('sha256:'.length)), 'utf8');
  const { manifests = [] }: { manifests?: readonly { readonly digest: string }[] } = JSON.parse(bytes);
  return manifests.flatMap((manifest) => [manifest.digest, ...(depth < 1 ? partsOf(manifest.digest, depth + 1) : [])]);
}

/** Every statement of the log that names a release, or names a part of it and is a scan or list, or names no other release. */
function toldOf(release: string): readonly number[] {
  const others = [one, two, other].filter((each) => each !== release);
  const wanted = [release, ...partsOf(release)];
  const mine = statements.filter(({ predicateType, subjects }) => {
    if (subjects.includes(release)) return true;
    return (
      subjects.some((each) => wanted.includes(each)) &&
      ([SCAN, BOM].includes(predicateType) || !subjects.some((each) => others.includes(each)))
    );
  });
  return mine.map(({ index }) => index).sort((a, b) => a - b);
}

/** Without the records of rigs and sites, which come along to vouch for keys. */
const indexesOf = (files: Files): readonly number[] =>
  saidIn(files)
    .filter(({ predicateType }) => !/^urn:sealane:(?:rig|site):/.test(predicateType))
    .map(({ index }) => index);
const entriesAbout = (subject: string): readonly number[] =>
  statements.filter(({ subjects }) => subjects.length === 1 && subjects[0] === subject).map(({ index }) => index);

async function check(files: Files): Promise<Awaited<ReturnType<typeof runJson>>> {
  const file = path.join(dir, `checked-${(count += 1)}.tar`);
  writeFileSync(file, await tarOf(files));
  return await runJson('sealane', ['audit', 'check', file, '--root', root]);
}

/** The program that an export brings, run beside its files. */
async function checkLog(files: Files): Promise<Ended> {
  const folder = mkdtempSync(path.join(dir, 'unpacked-'));
  for (const [name, bytes] of files) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), bytes);
  }
  return await runProgram('python3', ['check-log.py'], { cwd: folder });
}

/** An export with a statement of another one in it, and every file that is made from it made again. */
function withStrange(files: Files, from: Files, index: number): Files {
  const exportedHere = unpackExport(files);
  const { policies } = readLaneTrust(readFileSync(root), (name) => exportedHere.trust.get(name));
  const strange = unpackExport(from).statements.filter((statement) => statement.index === index);
  const all = [...exportedHere.statements, ...strange].sort((a, b) => a.index - b.index);
  return new Map([...renderExport({ ...exportedHere, statements: all }, policies)].map(([name, bytes]) => [name, Buffer.from(bytes)]));
}

describe('D7 an export of a release', () => {
  it('has every statement of the log about it, its images and each platform of them, and none about another', async () => {
    const alone = [image.index, image.platforms[1] ?? ''].map(entriesAbout);
    expect(alone.map(({ length }) => length)).toEqual([1, 1]);
    for (const release of [one, two, other]) {
      const files = await exported('--release', release);
      expect(indexesOf(files)).toEqual(toldOf(release));
      expect((await check(files)).json.answer).toMatchObject({ ok: true, problems: [], doubts: [] });
      const isShared = alone.flat().every((index) => indexesOf(files).includes(index));
      expect(isShared).toBe(release !== other);
    }
  });

  it('says on its page and in its table which part a statement is about, and has the manifests that say so', async () => {
    const files = await exported('--release', one);
    expect(files.get('index.html')?.toString()).toContain('about the part app');
    const rows = files.get('tables/statements.csv')?.toString().trim().split('\r\n') ?? [];
    // a scan of the same image for the other release names a platform too
    expect(rows.filter((line) => line.endsWith(',"app"')).length).toBe(3);
    for (const digest of [one, image.index]) expect(files.has(`blobs/${digest.slice('sha256:'.length)}`)).toBe(true);
  });

  it('is refused with a statement about the image of another release in it, though its proofs hold', async () => {
    const [files, from] = [await exported('--release', one), await exported('--release', other)];
    const [index = -1] = entriesAbout(partsOf(other)[0] ?? '');
    const { exit, json } = await check(withStrange(files, from, index));
    expect({ exit, problems: json.answer.problems }).toMatchObject({ exit: 4, problems: [{ actual: 'one about something else' }] });
  });

  it('is refused without the manifest that says whose the images are', async () => {
    const files = await exported('--release', one);
    const less = new Map(files);
    less.delete(`blobs/${one.slice('sha256:'.length)}`);
    expect((await check(less)).exit).toBe(4);
  });

  it.skipIf(python === undefined)(
    'is found by its own check-log.py to be of the release, and not with a stranger in it (skipped without python3)',
    async () => {
      const [files, from] = [await exported('--release', one), await exported('--release', other)];
      expect(await checkLog(files)).toMatchObject({ exit: 0, stdout: expect.stringContaining('statements are in the log') });
      const [index = -1] = entriesAbout(partsOf(other)[0] ?? '');
      expect(await checkLog(withStrange(files, from, index))).toMatchObject({
        exit: 1,
        stderr: expect.stringContaining('is about something else'),
      });
    },
  );
});

it('D7 an export of a site has what was said of the parts of what it runs', async () => {
  const files = await exported('--site', 'harbour-7');
  const told = toldOf(one);
  expect(told.every((index) => indexesOf(files).includes(index))).toBe(true);
  expect((await check(files)).json.answer).toMatchObject({ ok: true, problems: [], doubts: [] });
});
