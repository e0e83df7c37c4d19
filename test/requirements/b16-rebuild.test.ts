/** B16: a site whose disk was lost is built again, from a medium or from a neighbour's mirror: the tree that runs is the same, to the byte. */
import { createHash } from 'node:crypto';
import { cpSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let first: TestSite;
let before: string;
const sites: TestSite[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b16-rebuild-'));
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0', { 'srv/a/deep/file': 'x'.repeat(100_000), 'srv/empty': '' }));
  first = await siteIn('first', {});
  await first.must(['update']);
  before = treeDigest(path.join(first.state, 'current', ''));
});

afterAll(async () => {
  for (const site of sites) await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The same site each time, enrolled anew: a disk that is gone took the key with it. */
async function siteIn(folder: string, options: Parameters<typeof enrolSite>[2]): Promise<TestSite> {
  const site = await enrolSite(lane, path.join(dir, folder), options);
  sites.push(site);
  return site;
}

/** SHA-256 over names, kinds, modes and contents of a tree. */
function treeDigest(root: string): string {
  const hash = createHash('sha256');
  for (const name of (readdirSync(root, { recursive: true }) as string[]).sort()) {
    const file = path.join(root, name);
    const status = lstatSync(file);
    const content = status.isFile() ? readFileSync(file) : status.isSymbolicLink() ? readlinkSync(file) : '';
    hash.update(JSON.stringify([name, status.mode, Buffer.from(content).toString('base64')]));
  }
  return hash.digest('hex');
}

test('B16 from a medium, with no link at all, the tree that runs is the same', async () => {
  const medium = path.join(dir, 'medium');
  await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  await first.stop();
  rmSync(first.state, { recursive: true });
  const again = await siteIn('from-medium', { upstreams: [] });
  await again.must(['media', 'import', medium]);
  expect(await again.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(treeDigest(realpathSync(path.join(again.state, 'current')))).toBe(before);
  cpSync(path.join(again.state, 'mirror'), path.join(dir, 'neighbour'), { recursive: true });
});

test('B16 from a neighbour’s mirror too; a byte that differs is seen', async () => {
  const again = await siteIn('from-mirror', { upstreams: [path.join(dir, 'neighbour')] });
  expect(await again.must(['update'])).toMatchObject({ outcome: 'installed' });
  const tree = realpathSync(path.join(again.state, 'current'));
  expect(treeDigest(tree)).toBe(before);
  const changed = path.join(dir, 'changed');
  cpSync(tree, changed, { recursive: true, verbatimSymlinks: true });
  expect(treeDigest(changed)).toBe(before);
  writeFileSync(path.join(changed, 'app', 'srv', 'version'), '1.0.1\n');
  expect(treeDigest(changed)).not.toBe(before);
});
