/** A1: a part that cannot roll back is marked, in digest and statement; only stages that ask for it take it, after people said that they know. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withIrreversible } from '../support/irreversible.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let plain: string;
let marked: string;

const words = (version: string, ...more: readonly string[]): readonly string[] => {
  const part = path.join(dir, 'parts');
  mkdirSync(path.join(part, 'app', 'srv'), { recursive: true });
  writeFileSync(path.join(part, 'app', 'srv', 'version'), `${version}\n`);
  writeFileSync(path.join(part, 'bmc.bin'), 'firmware without a second bank');
  const parts = ['--files', `app=${path.join(part, 'app')}`, '--firmware', `bmc=${path.join(part, 'bmc.bin')}`];
  return ['release', 'create', '--name', 'readings', '--version', version, ...parts, ...more, '--key', 'author'];
};

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a1-'));
  lane = await makeLane(dir, { pipeline: (text) => withIrreversible(text, 1) });
  site = await enrolSite(lane, path.join(dir, 'site'), { receiptsTo: './out' });
  plain = (await lane.sealane(words('1.0.0'))).release;
  await lane.promote(plain);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: plain });
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('A1 the mark is part of what the digest covers, and shown; a part that is not there cannot be marked', async () => {
  expect((await lane.sealane(words('1.1.0', '--one-way', 'nothing'), 2)).error.code).toBe('USAGE');
  marked = (await lane.sealane(words('1.1.0', '--one-way', 'bmc'))).release;
  expect((await lane.sealane(words('1.1.0'), 2)).error.code).toBe('RELEASE_EXISTS');
  expect(await lane.sealane(['release', 'show', marked])).toMatchObject({
    irreversible: true,
    components: expect.arrayContaining([expect.objectContaining({ name: 'bmc', oneWay: true })]),
  });
  expect(await lane.sealane(['release', 'show', plain])).toMatchObject({ irreversible: false });
});

test('A1 prod takes it only after somebody approved that there is no way back', async () => {
  await lane.promote(marked, 'edge-preprod');
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', marked, '--to', 'prod', '--key', person]);
  const waiting = await lane.sealane(['promote', marked, '--to', 'prod'], 5);
  expect(waiting.checks.find(({ id }: { id: string }) => id === 'irreversible')).toMatchObject({
    verdict: 'pending',
    code: 'RELEASE_IRREVERSIBLE',
    actual: 'no way back from bmc, approved by nobody',
  });
  expect((await lane.sealane(['approve', plain, '--to', 'prod', '--key', 'bob', '--irreversible'], 2)).error.code).toBe('USAGE');
  await lane.sealane(['approve', marked, '--to', 'prod', '--key', 'bob', '--irreversible']);
  expect(await lane.sealane(['promote', marked, '--to', 'prod'])).toMatchObject({ decision: 'passed' });
});

test('A1 a site that was not told how to bring it in refuses it by name, once, and keeps what it runs', async () => {
  for (const again of [1, 2]) {
    const answer = await site.must(['update'], 3);
    expect(answer, `try ${again}`).toMatchObject({ outcome: 'refused', reason: 'RELEASE_IRREVERSIBLE', release: marked });
    expect(answer.checks.at(-1)).toMatchObject({ id: 'one-way', actual: 'no way back from bmc' });
  }
  expect(versionOnDisk(site.state)).toBe('1.0.0');
  const receipts = readdirSync(path.join(dir, 'site', 'out'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  expect(receipts).toHaveLength(2);
});

test('A1 a stage whose policy says nothing about such releases takes none', async () => {
  const pipeline = path.join(lane.home, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace('      - use: irreversible\n        with: { count: 1 }\n', ''));
  await lane.sealane(['trust', 'propose'], 5);
  const proposal = path.join(lane.home, 'proposal.json');
  for (const key of ['targets-1', 'targets-2']) await lane.sealane(['trust', 'sign', proposal, '--key', key]);
  await lane.sealane(['trust', 'publish', proposal]);
  const refused = await lane.sealane(['promote', marked, '--to', 'prod'], 3);
  expect(refused.checks.find(({ id }: { id: string }) => id === 'irreversible')).toMatchObject({
    verdict: 'fail',
    actual: 'no way back from bmc',
    remedy: expect.stringContaining('name the gate irreversible for prod'),
  });
});
