/** A13: an exception that waits in the channel for the site that it is for: taken in at the next update, over a link and from a medium, by that site alone. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const KIND = '  - { kind: rollback, people: [alice], need: 1, maxDays: 2, maxUses: 1 }\n';

let dir: string;
let lane: TestLane;
let site: TestSite;
let island: TestSite;
const releases: Record<string, string> = {};

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a13-sent-'));
  lane = await makeLane(dir, { pipeline: (text) => text.replace(/( {2}- \{ kind: stale.*\n)/, `$1${KIND}`) });
  site = await enrolSite(lane, path.join(dir, 'shop-1'), { name: 'shop-1', yaml: 'keep: 4' });
  island = await enrolSite(lane, path.join(dir, 'island-1'), { name: 'island-1', yaml: 'keep: 4', upstreams: [] });
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    releases[version] = await lane.release(version);
    await lane.promote(releases[version]);
    await site.must(['update']);
    await carryTo(island);
  }
  await lane.sealane(['revoke', releases['1.1.0'] ?? '', '--floor', '--reason', 'loses data']);
  await site.must(['update']);
  await carryTo(island);
});

afterAll(async () => {
  await site.stop();
  await island.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** By a stick: what was released, and what waits. */
async function carryTo(to: TestSite): Promise<void> {
  const medium = mkdtempSync(path.join(dir, 'stick-'));
  await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  await to.must(['media', 'import', medium]);
  await to.must(['update']);
}

/** What the site asks for is granted and sent; the digest of the statement. */
async function send(to: TestSite, version: string): Promise<string> {
  const request = path.join(dir, `${to.name}-request.json`);
  await to.must([
    'exception',
    'request',
    '--kind',
    'rollback',
    '--release',
    releases[version] ?? '',
    '--reason',
    'tills',
    '--out',
    request,
  ]);
  const granted = await lane.sealane(['exception', 'create', '--request', request, '--key', 'alice', '--reason', 'the tills stand still']);
  const statement = granted.statements[0].digest as string;
  expect(await lane.sealane(['exception', 'send', statement])).toMatchObject({ site: to.name, kind: 'rollback', signatures: 1 });
  return statement;
}

test('A13 what was sent is taken in by the next update of the site that it is for, and used once', async () => {
  const older = releases['1.0.0'] ?? '';
  expect(await site.must(['rollback', older], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
  await send(site, '1.0.0');
  expect(await site.must(['rollback', older], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
  await site.must(['update']);
  expect(await site.must(['rollback', older])).toMatchObject({ outcome: 'installed', release: older });
  expect(versionOnDisk(site.state)).toBe('1.0.0');

  // it still waits in the channel, and is spent here
  releases['1.3.0'] = await lane.release('1.3.0');
  await lane.promote(releases['1.3.0']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: releases['1.3.0'] });
  await site.must(['update']);
  expect(await site.must(['rollback', older], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
});

test('A13 a medium carries it too, and no other site takes it in', async () => {
  const older = releases['1.0.0'] ?? '';
  await send(island, '1.0.0');
  await site.must(['update']);
  expect(await site.must(['rollback', older], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
  await carryTo(island);
  expect(await island.must(['rollback', older])).toMatchObject({ outcome: 'installed', release: older });
});

test('A13 one that was altered on the way is not taken in, and stops no update', async () => {
  await send(site, '1.2.0');
  const mail = blobs().filter(
    ({ text }) => text.includes('"kind":"SiteShard"') || text.startsWith('[{"dsseEnvelope"') || text.startsWith('[{"mediaType"'),
  );
  expect(mail.length).toBeGreaterThan(1);
  for (const { file, text } of mail)
    writeFileSync(
      file,
      text.replace(/[0-9a-f]{8}/, (hex) => hex.split('').reverse().join('')),
    );
  releases['1.4.0'] = await lane.release('1.4.0');
  await lane.promote(releases['1.4.0']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: releases['1.4.0'] });
  expect(await site.must(['rollback', releases['1.0.0'] ?? ''], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
});

test('A13 only what a site uses itself is sent', async () => {
  const words = [
    'exception',
    'create',
    '--release',
    releases['1.4.0'] ?? '',
    '--to',
    'prod',
    '--gate',
    'tests',
    '--key',
    'alice',
    '--reason',
    'an outage',
  ];
  const { statements } = await lane.sealane(words);
  expect((await lane.sealane(['exception', 'send', statements[0].digest], 2)).error.code).toBe('USAGE');
  expect((await lane.sealane(['exception', 'send', releases['1.4.0'] ?? ''], 2)).error.code).toBe('STATEMENT_UNKNOWN');
});

function blobs(): readonly { readonly file: string; readonly text: string }[] {
  const folder = path.join(lane.lane, 'content', 'blobs', 'sha256');
  return readdirSync(folder).map((name) => ({ file: path.join(folder, name), text: readFileSync(path.join(folder, name), 'latin1') }));
}
