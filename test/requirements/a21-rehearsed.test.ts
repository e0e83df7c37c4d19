/** A21: prod asks for the way back to each release that it replaces, gone in the stage before in the declared time; each site asks for its own. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { checkOf, makeParityLane, type ParityLane } from './parity-lane.js';

const ID = 'rollback-rehearsed';

let it: ParityLane;
let lab: TestSite;
let shop: TestSite;
let late: TestSite;
const releases: Record<string, string> = {};

beforeAll(async () => {
  it = await makeParityLane(`      - use: ${ID}\n        with: { withinSeconds: 60, maxAgeDays: 1 }\n`);
  const enrol = (name: string, stage: string): Promise<TestSite> =>
    enrolSite(it.lane, path.join(it.lane.dir, name), { name, stage, receiptsTo: './out' });
  lab = await enrol('lab-1', 'edge-preprod');
  [shop, late] = [await enrol('shop-1', 'prod'), await enrol('late-1', 'prod')];
});

afterAll(async () => {
  for (const site of [lab, shop, late]) await site.stop();
  await it.stop();
});

/** Brings the receipts of a site to the ledger, those that are there already too. */
async function bring(site: TestSite): Promise<void> {
  const out = path.join(site.dir, 'out');
  for (const file of readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json')))
    await it.lane.sealane(['statement', 'add', path.join(out, file)]);
}

async function atPreprod(version: string): Promise<string> {
  const release = await it.release(version);
  releases[version] = release;
  await it.throughPreprod(release);
  expect(await lab.must(['update'])).toMatchObject({ outcome: 'installed', release });
  return release;
}

test('A21 the first release of a stage has nothing to go back to, and says so', async () => {
  const release = await atPreprod('1.0.0');
  expect(checkOf(await it.promote(release), ID)).toMatchObject({
    verdict: 'pass',
    actual:
      'it replaces nothing: no other release was let in before for these groups, and none of 2 sites says that it runs one (2 never reported)',
  });
  for (const site of [shop, late]) expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
  await bring(shop);
});

test('A21 the next one is refused until a site of the stage before went back from it, and told how long that took', async () => {
  const release = await atPreprod('1.1.0');
  await bring(lab);
  const before = await it.promote(release, 3);
  expect(checkOf(before, ID)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_ROLLBACK' });
  const planned = await it.lane.sealane(['plan', release, '--to', 'prod'], 3);
  expect(planned.missing.find(({ check }: { check: string }) => check === ID)).toMatchObject({
    who: [{ kind: 'signer', name: 'lab' }],
    remedy: expect.stringContaining(`sealane-site rollback ${releases['1.0.0'] ?? ''}`),
  });
  expect(await shop.must(['update'])).toMatchObject({ outcome: 'unchanged' });

  expect(await lab.must(['rollback'])).toMatchObject({ outcome: 'installed', release: releases['1.0.0'] });
  await bring(lab);
  const passed = await it.promote(release);
  expect(checkOf(passed, ID)).toMatchObject({ verdict: 'pass', actual: expect.stringMatching(/^back to sha256:\w+: lab-1 in \d+ s$/) });
  expect(await it.lane.sealane(['replay', passed.statement])).toMatchObject({ sameVerdict: true });
  const explained = await it.lane.sealane(['explain', release, '--to', 'prod']);
  expect(explained.seen).toEqual(expect.arrayContaining(checkOf(passed, ID).evidence));
});

test('A21 a site checks the same receipts again before it installs', async () => {
  const installed = await shop.must(['update']);
  expect(installed).toMatchObject({ outcome: 'installed', release: releases['1.1.0'] });
  expect(checkOf(installed, ID)).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('lab-1 in') });
  await bring(shop);
});

test('A21 what a lab wrote down counts in the declared time only, and only for the release that is replaced', async () => {
  const release = await it.release('1.2.0');
  releases['1.2.0'] = release;
  await it.throughPreprod(release);
  const rehearse = (to: string, seconds: number): ReturnType<ParityLane['tests']> =>
    it.tests(release, 'bench', {
      rehearsal: `apiVersion: sealane/v1
kind: Rehearsal
stage: edge-preprod
site: bench-1
rollbacks:
  - { to: '${to}', seconds: ${seconds}, at: ${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z, receipts: [] }
`,
    });
  const planned = async (): Promise<unknown> => checkOf(await it.lane.sealane(['plan', release, '--to', 'prod'], 3), ID);
  await rehearse(releases['1.0.0'] ?? '', 30);
  expect(await planned()).toMatchObject({ code: 'EVIDENCE_ROLLBACK', actual: expect.stringContaining('nowhere') });
  await rehearse(releases['1.1.0'] ?? '', 61);
  expect(await planned()).toMatchObject({ code: 'EVIDENCE_ROLLBACK', actual: expect.stringContaining('bench-1: it took 61 s') });
  await rehearse(releases['1.1.0'] ?? '', 30);
  expect(await it.promote(release)).toMatchObject({ decision: 'passed' });
  expect(await shop.must(['update'])).toMatchObject({ outcome: 'installed', release });
});

test('A21 a site that runs another release than anybody knew of refuses by itself, and keeps what it runs', async () => {
  const answer = await late.must(['update'], 3);
  expect(answer).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_ROLLBACK' });
  expect(versionOnDisk(late.state)).toBe('1.0.0');
  // once it has told, the promoter asks for that way back too
  await bring(late);
  const next = await it.release('1.3.0');
  await it.throughPreprod(next);
  const check = checkOf(await it.lane.sealane(['plan', next, '--to', 'prod'], 3), ID);
  expect(check.actual).toContain(`back to ${releases['1.0.0'] ?? ''}: nowhere`);
  expect(check.actual).toContain(`back to ${releases['1.2.0'] ?? ''}: nowhere`);
});

test('A21 a stage that is taken back goes the way that was rehearsed: the release before needs none of its own', async () => {
  await it.lane.sealane(['channel', 'rollback', 'prod', '--to', releases['1.1.0'] ?? '', '--reason', 'tills hang']);
  expect(await shop.must(['update'])).toMatchObject({ outcome: 'installed', release: releases['1.1.0'] });
});
