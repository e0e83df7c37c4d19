/** B5: a medium for one site or for a group: it holds what these need and no more, and several of them count beside each other. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { newValue, seal } from '../support/secrets.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const TOWNS = ['harwich', 'dover'] as const;
type Town = (typeof TOWNS)[number];

let dir: string;
let lane: TestLane;
const sites = new Map<Town, TestSite>();

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b05-'));
  const groups = TOWNS.map((town) => `    - { name: ${town}, match: { town: ${town} } }\n`).join('');
  lane = await makeLane(dir, { pipeline: (text) => `${text}groups:\n  prod:\n${groups}` });
  for (const town of TOWNS)
    sites.set(town, await enrolSite(lane, path.join(dir, town), { name: town, labels: [`town=${town}`], upstreams: [], yaml: 'keep: 4' }));
  await lane.promote(await lane.release('1.0.0', { 'srv/first': 'x'.repeat(200_000) }));
});

afterAll(async () => {
  for (const site of sites.values()) await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

function siteIn(town: Town): TestSite {
  const site = sites.get(town);
  if (site === undefined) throw new RangeError(`look up the site in ${town}: expected one`);
  return site;
}

/** Writes a medium; where it is, and what the command said. */
async function mediumFor(...words: readonly string[]): Promise<{ readonly out: string; readonly said: { readonly bytes: number } }> {
  const out = mkdtempSync(path.join(dir, 'medium-'));
  return { out, said: await lane.sealane(['media', 'export', '--stage', 'prod', ...words, '--out', out]) };
}

/** Digests of the blobs on a medium. */
function blobsOn(medium: string): readonly string[] {
  return readdirSync(path.join(medium, 'content', 'blobs', 'sha256'));
}

/** Points one group at a release that passed the stages before. */
async function promoteOnly(version: string, town: Town): Promise<void> {
  const release = await lane.release(version, { [`srv/${version}`]: version.repeat(50_000) });
  await lane.promote(release, 'edge-preprod');
  const where = ['--to', 'prod', '--group', town];
  for (const key of ['alice', 'bob']) await lane.sealane(['approve', release, ...where, '--key', key]);
  await lane.sealane(['promote', release, ...where]);
}

test('B5 a medium for one site holds its group’s release and its own mail; another site finds nothing there that it could install', async () => {
  await promoteOnly('1.1.0', 'dover');
  for (const town of TOWNS) await seal(lane, newValue(), ['--site', town]);
  const [whole, harwich, dover] = [await mediumFor(), await mediumFor('--site', 'harwich'), await mediumFor('--site', 'dover')];
  expect(harwich.said).toMatchObject({ stage: 'prod', groups: ['harwich'], sites: ['harwich'] });
  expect(whole.said).toMatchObject({ groups: [...TOWNS].sort(), sites: null });

  const [all, one, other] = [blobsOn(whole.out), blobsOn(harwich.out), blobsOn(dover.out)];
  expect(all).toEqual(expect.arrayContaining([...one, ...other]));
  expect(one.length).toBeLessThan(all.length);
  expect(new Set([...one, ...other])).toEqual(new Set(all));

  // everything of it or nothing: the other site's medium has no waybill of this one
  expect(await siteIn('harwich').must(['media', 'import', dover.out], 4)).toMatchObject({ error: { code: 'CONTENT_MISSING' } });
  await siteIn('harwich').must(['media', 'import', harwich.out]);
  await siteIn('harwich').must(['update']);
  expect(versionOnDisk(siteIn('harwich').state)).toBe('1.0.0');
});

test('B5 a medium for a group serves every site of it; an older medium beside a newer one takes nothing back', async () => {
  const older = await mediumFor('--group', 'dover');
  await promoteOnly('1.2.0', 'dover');
  const newer = await mediumFor('--group', 'dover');
  expect(newer.said).toMatchObject({ groups: ['dover'], sites: ['dover'] });
  for (const [medium, version] of [
    [older, '1.1.0'],
    [newer, '1.2.0'],
    [older, '1.2.0'],
  ] as const) {
    await siteIn('dover').run(['media', 'import', medium.out]);
    await siteIn('dover').run(['update']);
    expect(versionOnDisk(siteIn('dover').state)).toBe(version);
  }

  // what happened goes back on the same medium
  const receipts = path.join(newer.out, 'receipts');
  await siteIn('dover').must(['receipt', 'export', receipts]);
  const files = readdirSync(receipts).map((name) => path.join(receipts, name));
  await lane.sealane(['statement', 'add', ...files]);
  expect((await lane.sealane(['site', 'show', 'dover'])).receipts.length).toBeGreaterThan(0);
});

test('B5 a site or group that is not of the stage is refused, and nothing is written', async () => {
  const out = path.join(dir, 'none');
  const words = ['media', 'export', '--stage', 'prod', '--out', out];
  expect(await lane.sealane([...words, '--site', 'calais'], 2)).toMatchObject({ error: { code: 'SITE_UNKNOWN' } });
  expect(await lane.sealane([...words, '--group', 'calais'], 2)).toMatchObject({ error: { code: 'USAGE' } });
  expect(existsSync(out)).toBe(false);
  const behindFile = path.join(lane.home, 'pipeline.yaml', 'medium');
  const refused = await lane.sealane(['media', 'export', '--stage', 'prod', '--out', behindFile], 2);
  expect(refused).toMatchObject({ error: { code: 'STATE_UNWRITABLE' } });
});

test('B5 a blob of the lane that is other bytes than its name says goes onto no medium, and both digests are said', async () => {
  const folder = path.join(lane.lane, 'content', 'blobs', 'sha256');
  const out = path.join(dir, 'damaged');
  const other = Buffer.from('other bytes');
  const got = createHash('sha256').update(other).digest('hex');
  const timestamp = path.join(out, 'trust', 'metadata', 'timestamp.json');
  const { out: whole } = await mediumFor();
  const refusals = [];
  for (const hex of blobsOn(whole)) {
    const blob = path.join(folder, hex);
    const kept = `${blob}.kept`;
    renameSync(blob, kept);
    writeFileSync(blob, other);
    const { error } = await lane.sealane(['media', 'export', '--stage', 'prod', '--out', out], 4);
    renameSync(kept, blob);
    expect(error.message).toMatch(new RegExp(`sha256:${hex}.*, got sha256:${got}$`));
    expect(existsSync(timestamp)).toBe(false);
    refusals.push(error.code);
    if (new Set(refusals).size === 2) break;
  }
  // what the release is walked by, and what is only carried
  expect(new Set(refusals)).toEqual(new Set(['CONTENT_MISSING', 'CONTENT_DIGEST']));
});
