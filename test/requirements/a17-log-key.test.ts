/**
 * The log gets another key under the same origin: both sign while the owners decide, witnesses are asked before the switch, what was proved before stands,
 * and a site that was away over three root versions comes back by itself.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openNote, parseCheckpoint, parseVkey } from '@sealane/core';
import type { Policy } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLaneTrust } from '../../packages/promoter/src/trust/lane-trust.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { logVkeys, restartWitness, signAsOwners } from '../support/log-key.js';
import { runJson, type Server } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let witness: Server;
/** One polls all the time, the other is cut off before anything changes. */
let near: TestSite;
let away: TestSite;
let old: string;
let next: string;
/** The size of the log when the new key was proposed. */
let size: number;
/** A checkpoint that somebody kept from before, the release of then, and the time. */
let kept: string;
let first: string;
let then: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a17-log-'));
  lane = await makeLane(dir);
  ({ witness } = lane);
  near = await enrolSite(lane, path.join(dir, 'near'));
  away = await enrolSite(lane, path.join(dir, 'away'), { name: 'harbour-8' });
  first = await lane.release('1.0.0');
  await lane.promote(first);
  then = `${new Date().toISOString().slice(0, 19)}Z`;
  await near.must(['update']);
  await away.must(['update']);
  kept = path.join(dir, 'kept.checkpoint');
  cpSync(path.join(lane.lane, 'log', 'checkpoint'), kept);
});

afterAll(async () => {
  await near.stop();
  await away.stop();
  await witness.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const checkpoint = (): string => readFileSync(path.join(lane.lane, 'log', 'checkpoint'), 'utf8');
const signers = (note: string): readonly string[] => {
  const known = [old, next].map(parseVkey);
  return openNote(note, known).verified.map((vkey) => (vkey === known[0] ? 'old' : 'next'));
};
const versions = async (): Promise<Record<string, number>> => (await lane.sealane(['trust', 'verify'])).versions;

/** A new root by its owners, who replace the keys that are online. */
async function rotateOnlineKeys(): Promise<void> {
  for (const name of ['timestamp', 'snapshot']) await lane.sealane(['key', 'rotate', name], 5);
  for (const owner of ['root-1', 'root-2']) await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', owner]);
  await lane.sealane(['trust', 'publish']);
}

/** The policy of prod that is published. */
function policy(): Policy | undefined {
  return readLaneTrust({ trust: path.join(lane.lane, 'trust') }, ['prod']).stages.get('prod')?.policy;
}

test('A17 the next key of the log is proposed to the owners, and signs beside the old one until they have published', async () => {
  await rotateOnlineKeys();
  ({ size } = parseCheckpoint(checkpoint()));
  const { changes } = await lane.sealane(['key', 'rotate', 'log'], 5);
  expect((changes as string[]).join('\n')).toMatch(/policy\/prod.json: logs\["lane.example"\].past: /);
  [old = '', next = ''] = logVkeys(lane);
  const second = await lane.release('1.1.0');
  await lane.promote(second);
  expect(signers(checkpoint())).toEqual(['old', 'next']);
  // whoever knows the old key only, site and witness, takes it as ever
  expect(await near.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
});

test('A17 nothing is published before the witnesses know the next key', async () => {
  await signAsOwners(lane);
  const before = [await versions(), checkpoint()];
  const { error } = await lane.sealane(['trust', 'publish'], 5);
  expect(error).toMatchObject({ code: 'LOG_KEY_UNKNOWN', hint: expect.stringContaining('log.vkey') as string });
  expect([await versions(), checkpoint()]).toEqual(before);
  witness = await restartWitness(lane, witness, path.join(lane.home, 'log.vkey'));
  await lane.sealane(['trust', 'publish']);
  expect(policy()?.logs).toMatchObject([{ vkey: next, past: [{ vkey: old, belowSize: expect.any(Number) as number }] }]);
  expect(policy()?.logs[0]?.past?.[0]?.belowSize).toBeGreaterThanOrEqual(size);
  expect(logVkeys(lane)).toEqual([next]);
  expect(readdirSync(path.join(lane.home, 'keys')).filter((name) => name.startsWith('log.'))).toEqual([
    'log.pem',
    expect.stringMatching(/^log\.retired-[0-9a-f]{8}\.pem$/),
  ]);
});

test('A17 from then on the new key signs alone, the witness drops the old one, and the site that polls follows', async () => {
  for (const name of readdirSync(path.join(lane.home, 'keys')).filter((file) => file.includes('.retired-')))
    rmSync(path.join(lane.home, 'keys', name));
  witness = await restartWitness(lane, witness, next);
  const third = await lane.release('1.2.0');
  await lane.promote(third);
  expect(signers(checkpoint())).toEqual(['next']);
  expect(await near.must(['update'])).toMatchObject({ outcome: 'installed', release: third });
  // what was decided and witnessed under the old key alone still stands
  expect(await near.must(['rollback'])).toMatchObject({ outcome: 'installed' });
});

test('A17 a site that was away over three root versions, one with another key of the log, comes back and installs', async () => {
  await rotateOnlineKeys();
  await rotateOnlineKeys();
  expect(await versions()).toMatchObject({ root: 4 });
  expect(versionOnDisk(away.state)).toBe('1.0.0');
  expect(await away.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(versionOnDisk(away.state)).toBe('1.2.0');
});

test('A17 auditor and full check follow from the key that the log began with, and take a checkpoint from before', async () => {
  expect(await lane.sealane(['audit', 'verify', '--checkpoint', kept])).toMatchObject({ answer: { ok: true, problems: [] } });
  expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true });
  // what was known then stands under a head that the old key signed, and that today's begins with
  expect(await lane.sealane(['audit', 'trace', first, '--as-known', then])).toMatchObject({ complete: true });
  const backup = path.join(dir, 'backup.tar');
  const restored = path.join(dir, 'restored');
  await lane.sealane(['backup', '--out', backup, '--without-keys']);
  expect((await runJson('sealane', ['restore', backup, '--home', restored])).exit).toBe(0);
  const { keys } = await lane.sealane(['key', 'list']);
  const ofLog = (keys as { uses: string[]; untilIndex: number | null }[]).filter(({ uses }) => uses.includes('signs the log'));
  expect(ofLog.map(({ untilIndex }) => untilIndex)).toEqual([null, expect.any(Number)]);
});
