/** Two releases that share what is the same in both, where site.yaml says so: each is still whole alone. */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const DATA = 'the same in every version\n'.repeat(1000);

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-shared-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'), { yaml: 'unpack: { unchanged: link }\n' });
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function install(version: string): Promise<void> {
  await lane.promote(await lane.release(version, { 'srv/data': DATA }));
  await site.must(['update']);
  expect(versionOnDisk(site.state)).toBe(version);
}

/** The file in each slot. */
function inSlots(file: string): readonly { readonly inode: number; readonly text: string }[] {
  const slots = path.join(site.state, 'releases');
  return readdirSync(slots).map((slot) => {
    const at = path.join(slots, slot, 'app', file);
    return { inode: lstatSync(at).ino, text: readFileSync(at, 'utf8') };
  });
}

test('B7 unpack.unchanged: link writes what changed only, and going back or letting an old release go spoils none', async () => {
  await install('1.0.0');
  await install('2.0.0');
  expect(new Set(inSlots('srv/data').map(({ inode }) => inode)).size).toBe(1);
  expect(
    inSlots('srv/version')
      .map(({ text }) => text)
      .sort(),
  ).toEqual(['1.0.0\n', '2.0.0\n']);
  await site.must(['rollback']);
  expect(versionOnDisk(site.state)).toBe('1.0.0');
  await install('3.0.0');
  await install('4.0.0');
  expect(inSlots('srv/data').map(({ text }) => text === DATA)).toEqual([true, true]);
  expect(new Set(inSlots('srv/data').map(({ inode }) => inode)).size).toBe(1);
  expect(new Set(inSlots('srv/version').map(({ inode }) => inode)).size).toBe(2);
});
