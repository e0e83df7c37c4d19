/** Row B1: a mirror that is up for years holds the trust and the log of today and of the sync before, not of all that was ever published. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b01-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'), { stage: 'dev' });
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const filesIn = (folder: 'trust' | 'log'): number =>
  readdirSync(path.join(site.state, 'mirror', folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;

test('B1 what newer trust has replaced goes with the second sync after it, and nothing that is needed goes', async () => {
  const counts: { trust: number; log: number }[] = [];
  for (let release = 1; release <= 6; release += 1) {
    await lane.promote(await lane.release(`1.0.${release}`), 'dev');
    await site.must(['update']);
    expect(versionOnDisk(site.state)).toBe(`1.0.${release}`);
    counts.push({ trust: filesIn('trust'), log: filesIn('log') });
  }
  const [third, last] = [counts[2], counts.at(-1)];
  expect(last).toEqual(third);
  // a site that was shown nothing new keeps what it has
  await site.must(['update']);
  expect(filesIn('trust')).toBe(last?.trust);
  expect((await site.must(['check'])).outcome).toBe('unchanged');
});
