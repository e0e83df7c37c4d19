/** B8: by itself a site goes back to a good release, never to a revoked one; and a release on probation is left as soon as its revocation is heard. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ReceiptPredicate, parseBundle, readReceipt } from '@sealane/trust';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Answer } from '../support/run.js';
import { enrolSite, siteYaml, type TestSite, versionOnDisk } from '../support/site.js';

/** A release with this file never gets healthy. */
const BROKEN = { 'srv/broken': '' };
const HEALTHY = 'test -f app/srv/version && ! test -f app/srv/broken';
const DRIVER = { health: [{ command: ['/bin/sh', '-c', HEALTHY] }], startSeconds: 0.5 };

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b08-way-back-'));
  lane = await makeLane(dir);
});
afterEach(() => site.stop());
afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function enrolled(name: string): Promise<void> {
  site = await enrolSite(lane, path.join(dir, name), { name, driver: DRIVER });
}

async function promoted(version: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const release = await lane.release(version, files);
  await lane.promote(release);
  return release;
}

const revoke = (release: string, ...more: readonly string[]): Promise<unknown> =>
  lane.sealane(['revoke', release, '--reason', 'burns its host', ...more]);

function lastReceipt(): ReceiptPredicate | undefined {
  const folder = path.join(site.state, 'receipts');
  const receipts = readdirSync(folder).map((name) =>
    readReceipt(parseBundle(new Uint8Array(readFileSync(path.join(folder, name)))).statement),
  );
  return receipts.sort((a, b) => a.seq - b.seq).at(-1);
}

test('B8 where the fix for a revoked release fails, the site goes back past it to the one before, says so, and takes the next fix', async () => {
  await enrolled('harbour-1');
  const one = await promoted('1.0.0');
  await site.must(['update']);
  const two = await promoted('1.1.0');
  await site.must(['update']);
  const broken = await promoted('1.2.0', BROKEN);
  await revoke(two);
  expect(await site.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', release: broken, previous: two, reason: 'HEALTH_FAILED' });
  expect(versionOnDisk(site.state)).toBe('1.0.0');
  expect(await site.must(['status'])).toMatchObject({
    state: 'idle',
    current: { release: one },
    workload: { is: 'running', release: one },
  });
  expect(lastReceipt()).toMatchObject({ event: 'rolled-back', release: broken, previous: one, reason: 'HEALTH_FAILED' });
  expect(lastReceipt()?.checks.find(({ id }) => id === 'revoked')).toMatchObject({
    code: 'RELEASE_REVOKED',
    actual: 'readings 1.1.0 is revoked',
  });
  const fix = await promoted('1.3.0');
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: fix, previous: one });
});

test('B8 where nothing that is kept may run it stops what failed and runs nothing, also after the next poll, until a release comes that may', async () => {
  await enrolled('harbour-2');
  const four = await promoted('2.0.0');
  await site.must(['update']);
  await promoted('2.1.0', BROKEN);
  await revoke(four, '--floor');
  const answer = await site.run(['update']);
  // what was promoted before the floor was raised is below it too
  expect(answer.json).toMatchObject({ outcome: 'refused' });
  await promoted('2.2.0', BROKEN);
  await site.must(['update'], 7);
  expect(versionOnDisk(site.state)).toBeUndefined();
  await site.must(['update']);
  expect(await site.must(['status'])).toMatchObject({ state: 'idle', current: null, workload: { is: 'none' } });
  expect(lastReceipt()).toMatchObject({ event: 'rolled-back', previous: null });
  expect(await site.must(['rollback', four], 3)).toMatchObject({ reason: 'RELEASE_REVOKED' });
  const good = await promoted('2.3.0');
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: good, previous: null });
  expect(await site.must(['status'])).toMatchObject({ workload: { is: 'running', release: good } });
});

/** A site with one release, the next of which is watched for so long; and the update to it, which is under way. */
async function onProbation(
  name: string,
  from: string,
  to: string,
  probationSeconds: number,
): Promise<{ before: string; watched: string; update: Promise<Answer> }> {
  await enrolled(name);
  const before = await promoted(from);
  await site.must(['update']);
  writeFileSync(site.config, siteYaml(lane, { name, yaml: 'pollSeconds: 1', driver: { ...DRIVER, probationSeconds } }));
  const watched = await promoted(to);
  const update = site.run(['update'], { limitMs: 120_000 });
  await expect.poll(async () => (await site.must(['status'])).state, { timeout: 60_000 }).toBe('probation');
  return { before, watched, update };
}

test('A13 B8 a release is revoked while its health is watched for an hour: the site hears it at its next poll and goes back', async () => {
  const { before, watched, update } = await onProbation('harbour-3', '3.0.0', '3.1.0', 3600);
  await revoke(watched);
  const { exit, json } = await update;
  expect({ exit, ...json }).toMatchObject({
    exit: 7,
    outcome: 'rolled-back',
    release: watched,
    previous: before,
    reason: 'RELEASE_REVOKED',
  });
  expect(versionOnDisk(site.state)).toBe('3.0.0');
  expect(lastReceipt()).toMatchObject({ event: 'rolled-back', release: watched, previous: before, reason: 'RELEASE_REVOKED' });
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_REVOKED' });
});

test('B10 a lane that is away while health is watched has no say in it', async () => {
  const { watched, update } = await onProbation('harbour-4', '4.0.0', '4.1.0', 5);
  const away = `${lane.lane}.away`;
  renameSync(lane.lane, away);
  try {
    expect((await update).json).toMatchObject({ outcome: 'installed', release: watched });
  } finally {
    renameSync(away, lane.lane);
  }
});
