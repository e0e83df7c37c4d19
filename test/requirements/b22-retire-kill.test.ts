/** B22: a retirement that is killed at any moment goes on to its end. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseBundle, readReceipt } from '@sealane/trust';
import { RETIRE_CRASH_POINTS } from '../../packages/site/src/crash-point.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { filesLeft } from '../support/retired.js';
import { enrolSite, siteAt, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let receipts: string;
let retired: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b22-kill-'));
  lane = await makeLane(dir);
  receipts = path.join(dir, 'receipts');
  await lane.promote(await lane.release('1.0.0'));
  retired = await enrolSite(lane, path.join(dir, 'quay-5'), { name: 'quay-5', receiptsTo: receipts });
  await retired.must(['update']);
  await lane.sealane(['site', 'retire', 'quay-5', '--reason', 'the quay is closed', '--key', 'registrar']);
});

afterAll(async () => {
  await retired.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const sent = (): readonly string[] => readdirSync(receipts).map((name) => path.join(receipts, name));

it.each([...RETIRE_CRASH_POINTS])('B22 killed at %s, the next update goes on to the end, with one last receipt', async (point) => {
  const copy = path.join(dir, `killed-${RETIRE_CRASH_POINTS.indexOf(point)}`);
  cpSync(retired.dir, copy, { recursive: true, verbatimSymlinks: true });
  const site = siteAt(copy, 'quay-5');
  for (const file of sent()) rmSync(file);
  await killAt(point, 'sealane-site', ['update', '--config', site.config, '--state', site.state]);
  expect(await site.must(['update'], 3)).toMatchObject({ reason: 'SITE_RETIRED' });
  expect(filesLeft(site)).toEqual(['journal', 'receipts', 'trust.json', 'mirror/routes.json']);
  expect(await site.must(['status'])).toMatchObject({ state: 'retired', receiptsQueued: 0, workload: { is: 'none' } });
  expect(sent().map((file) => readReceipt(parseBundle(new Uint8Array(readFileSync(file))).statement).event)).toEqual(['retired']);
});
