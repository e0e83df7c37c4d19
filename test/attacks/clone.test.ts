/** T12: root at one site copies it, key and all. Each copy speaks for that site only, and that there are two shows in the chain of receipts. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson } from '../support/run.js';
import { enrolSite, siteAt, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-clone-'));
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0'));
  site = await enrolSite(lane, path.join(dir, 'site'));
  await site.must(['update']);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function bringReceipts(from: TestSite, name: string): Promise<void> {
  const folder = path.join(dir, name);
  await from.must(['receipt', 'export', folder]);
  await lane.sealane(['statement', 'add', ...readdirSync(folder).map((file) => path.join(folder, file))]);
}

it('two hosts with the key of one site fork its chain of receipts: the auditor names the second one of a number, and answers no more as if he knew', async () => {
  await bringReceipts(site, 'first');
  const honest = await lane.sealane(['audit', 'at', site.name]);
  expect(honest).toMatchObject({ complete: true, answer: { doubts: [] } });
  await site.stop();
  cpSync(site.dir, path.join(dir, 'clone'), { recursive: true, verbatimSymlinks: true });
  const clone = siteAt(path.join(dir, 'clone'));
  await lane.promote(await lane.release('1.1.0'));
  try {
    for (const [host, name] of [
      [site, 'site-receipts'],
      [clone, 'clone-receipts'],
    ] as const) {
      await host.must(['update']);
      await bringReceipts(host, name);
    }
  } finally {
    await clone.stop();
  }
  const { exit, json } = await runJson('sealane', ['audit', 'at', site.name, '--home', lane.home]);
  expect(exit).toBe(4);
  expect(json.complete).toBe(false);
  expect(json.answer.doubts).toEqual([
    expect.objectContaining({ code: 'SITE_MISMATCH', message: expect.stringMatching(/is a second one of the number 2: the chain forks$/) }),
  ]);
});
