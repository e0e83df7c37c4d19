/** A2: a stage may decide on a release once more, for other groups or with more evidence; that takes nothing from the stages after it, at sites as at the promoter. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a02-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** More evidence, and so another decision of the first stage. */
async function decideAgain(release: string): Promise<void> {
  const decide = async (): Promise<string> => (await lane.sealane(['promote', release, '--to', 'dev'])).statement;
  const first = await decide();
  await lane.evidence(release);
  expect(await decide()).not.toBe(first);
}

test('A2 a stage before that decides again after the last one takes no release from its sites', async () => {
  const release = await lane.release('1.0.0');
  await lane.promote(release);
  await decideAgain(release);
  // made anew, by what is known now
  await lane.sealane(['channel', 'set', 'prod', release, '--reason', 'its waybill is made anew']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
});

test('A2 a first stage that decides again after the second one leaves the third in order', async () => {
  const release = await lane.release('1.1.0');
  await lane.promote(release, 'edge-preprod');
  await decideAgain(release);
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
  expect((await lane.sealane(['promote', release, '--to', 'prod'])).decision).toBe('passed');
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
});
