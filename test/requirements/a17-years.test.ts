/**
 * Four years of a lane in an afternoon: every key is replaced twice, old entries go to an archive, a site is away for two years, a backup takes the place of the
 * home; and what was so in the first year is told in the fourth as it was.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { movedClock, type MovedClock } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { logVkeys, restartWitness } from '../support/log-key.js';
import { expectJson, type Server } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const DAY_MS = 24 * 3600 * 1000;
const OWNERS = ['root-1', 'root-2', 'root-3', 'targets-1', 'targets-2'] as const;
const NAMED_BY_TARGETS = ['dev', 'edge-preprod', 'prod', 'registrar', 'author', 'builder', 'lab', 'alice', 'bob', 'log'] as const;

const kept = process.env['NODE_OPTIONS'];
let dir: string;
let clock: MovedClock;
let lane: TestLane;
let witness: Server;
let near: TestSite;
let away: TestSite;
let first: string;
/** The root that a site or an auditor was given at the beginning. */
let root: string;
/** Entries that went to the archive in the third year. */
let archived: number;

/** The time of the lane so many days after its beginning. */
const dayText = (day: number): string => `${new Date(Date.now() + day * DAY_MS).toISOString().slice(0, 19)}Z`;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a17-years-'));
  clock = movedClock(path.join(dir, 'clock'));
  process.env['NODE_OPTIONS'] = clock.nodeOptions;
  lane = await makeLane(dir);
  ({ witness } = lane);
  root = path.join(dir, '1.root.json');
  cpSync(path.join(lane.lane, 'trust', 'metadata', '1.root.json'), root);
  near = await enrolSite(lane, path.join(dir, 'near'));
  away = await enrolSite(lane, path.join(dir, 'away'), { name: 'harbour-8' });
});

afterAll(async () => {
  await near.stop();
  await away.stop();
  await witness.stop();
  await lane.stop();
  if (kept === undefined) delete process.env['NODE_OPTIONS'];
  else process.env['NODE_OPTIONS'] = kept;
  rmSync(dir, { recursive: true, force: true });
});

/** A release goes to prod, a site installs it, and a courier brings its receipts. */
async function release(version: string, ...sites: readonly TestSite[]): Promise<string> {
  await lane.sealane(['publish', '--refresh']);
  const digest = await lane.release(version);
  await lane.promote(digest);
  for (const site of sites) {
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: digest });
    const receipts = path.join(dir, `receipts-${version}-${site.name}`);
    await site.must(['receipt', 'export', receipts]);
    await lane.sealane(['statement', 'add', ...readdirSync(receipts).map((name) => path.join(receipts, name))]);
  }
  return digest;
}

/** Every key of the lane gives way to another one: root and its roles, then all that policies name, and the log's. */
async function replaceKeys(): Promise<void> {
  for (const name of ['root-1', 'targets-1', 'snapshot', 'timestamp']) await lane.sealane(['key', 'rotate', name], 5);
  await signAndPublish([...OWNERS.filter((name) => name !== 'targets-1'), 'root-1.next', 'targets-1.next']);
  for (const name of NAMED_BY_TARGETS) await lane.sealane(['key', 'rotate', name], 5);
  witness = await restartWitness(lane, witness, path.join(lane.home, 'log.vkey'));
  await signAndPublish(['targets-1', 'targets-2']);
  witness = await restartWitness(lane, witness, ...logVkeys(lane));
}

async function signAndPublish(owners: readonly string[]): Promise<void> {
  for (const owner of owners) await lane.sealane(['trust', 'sign', '--key', owner]);
  await lane.sealane(['trust', 'publish']);
}

test('A17 in the second year root and policies are renewed in time, and every key gives way to another', async () => {
  first = await release('1.0.0', near, away);
  clock.moveTo(340 * DAY_MS);
  const { owners } = await lane.sealane(['publish', '--refresh']);
  expect(owners).toMatchObject([{ role: 'root' }, { role: 'targets' }]);
  await replaceKeys();
  expect((await lane.sealane(['publish'])).owners).toEqual([]);
  await release('1.1.0', near);
});

test('A17 D9 in the third year the first one goes to an archive, and a site that was away for two years comes back by itself', async () => {
  clock.moveTo(730 * DAY_MS);
  await replaceKeys();
  const { entries } = await lane.sealane(['ledger', 'archive', '--before', dayText(300), '--to', `oci:${path.join(dir, 'cold')}`]);
  expect(entries).toBeGreaterThan(5);
  archived = entries as number;
  expect((await lane.sealane(['gc', '--delete'])).deleted).toBe(true);
  await release('1.2.0', near, away);
});

test('A17 D9 in the fourth year a backup takes the place of the home, and the lane goes on', async () => {
  const [file, restored] = [path.join(dir, 'backup.tar'), path.join(dir, 'restored')];
  await lane.sealane(['backup', '--out', file, '--without-keys']);
  await expectJson('sealane', ['restore', file, '--home', restored, '--lane', lane.lane]);
  for (const keys of ['keys', 'owners']) cpSync(path.join(lane.home, keys), path.join(restored, keys), { recursive: true });
  renameSync(lane.home, path.join(dir, 'lost'));
  renameSync(restored, lane.home);
  clock.moveTo(1100 * DAY_MS);
  await lane.sealane(['trust', 'propose', '--renew'], 5);
  await signAndPublish(OWNERS);
  await release('1.3.0', near);
});

test('A17 D9 what was so in the first year is told in the fourth as it was', async () => {
  const asked = await lane.sealane(['audit', 'at', near.name, '--as-of', dayText(10)]);
  expect(asked).toMatchObject({ complete: true, answer: { release: first } });
  expect(await lane.sealane(['audit', 'at', near.name, '--as-of', dayText(10), '--as-known', dayText(20)])).toMatchObject({
    complete: true,
    answer: { release: first },
  });
  const traced = await lane.sealane(['audit', 'trace', first]);
  expect(traced.complete).toBe(true);
  const { decisions } = traced.answer as { readonly decisions: readonly { readonly statement: string }[] };
  await lane.sealane(['replay', decisions.at(-1)?.statement ?? '']);
  expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
  expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, gone: [] });
  const out = path.join(dir, 'year-one.tar');
  await lane.sealane(['audit', 'export', '--period', `${dayText(-1)}/${dayText(300)}`, '--out', out]);
  expect(await expectJson('sealane', ['audit', 'check', out, '--root', root])).toMatchObject({ complete: true });
  expect(readFileSync(out).length).toBeGreaterThan(1000);
});

test('A17 D9 what went to the archive in the third year comes back in the fourth, and the archive is needed no more', async () => {
  expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, archived });
  expect(await lane.sealane(['ledger', 'thaw', '--from', '0', '--below', '1000'])).toMatchObject({ entries: archived });
  renameSync(path.join(dir, 'cold'), path.join(dir, 'cold.away'));
  expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
  expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, archived: 0, unseen: null });
  expect(await lane.sealane(['audit', 'at', near.name, '--as-of', dayText(10)])).toMatchObject({
    complete: true,
    answer: { release: first },
  });
});
