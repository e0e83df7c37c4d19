/** A13: exceptions that a site uses itself: asked for and granted in files, each for one site, key and release, once; its receipt names it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const DAY_MS = 86_400_000;
const KINDS = `  - { kind: rollback, people: [alice, bob], need: 2, maxDays: 2, maxUses: 1 }
  - { kind: stale, people: [alice], need: 1, maxDays: 30, maxUses: 1 }
`;

let dir: string;
let lane: TestLane;
let site: TestSite;
let other: TestSite;
const releases: Record<string, string> = {};

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a13-site-'));
  lane = await makeLane(dir, { pipeline: (text) => text.replace(/ {2}- \{ kind: stale.*\n/, KINDS) });
  const enrol = (name: string): Promise<TestSite> => enrolSite(lane, path.join(dir, name), { name, receiptsTo: './out', yaml: 'keep: 4' });
  [site, other] = [await enrol('shop-1'), await enrol('shop-2')];
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    releases[version] = await lane.release(version);
    await lane.promote(releases[version]);
    await site.must(['update']);
  }
  await lane.sealane(['revoke', releases['1.1.0'] ?? '', '--floor', '--reason', 'loses data']);
  await site.must(['update']);
  await other.must(['mirror', 'sync']);
});

afterAll(async () => {
  for (const each of [site, other]) await each.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const file = (name: string): string => path.join(dir, name);

async function ask(kind: string, version: string, out: string): Promise<string> {
  const words = [
    'exception',
    'request',
    '--kind',
    kind,
    '--release',
    releases[version] ?? '',
    '--reason',
    'nothing else runs',
    '--out',
    file(out),
  ];
  await site.must(words);
  return file(out);
}

async function grant(request: string, key: string, ...more: readonly string[]): Promise<string> {
  const words = ['exception', 'create', '--request', request, '--key', key, '--reason', 'the tills stand still', ...more];
  return (await lane.sealane(words)).statements[0].digest as string;
}

async function carry(statement: string, out: string): Promise<string> {
  await lane.sealane(['publish', '--refresh']);
  await lane.sealane(['exception', 'export', statement, '--out', file(out)]);
  return file(out);
}

const refusal = async (at: TestSite, carried: string): Promise<unknown> => (await at.must(['exception', 'apply', carried], 4)).error.code;

test('A13 B8 below the floor a site goes back only with what enough people granted to this site for this release', async () => {
  const older = releases['1.0.0'] ?? '';
  expect(await site.must(['rollback', older], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_BELOW_FLOOR' });
  const request = await ask('rollback', '1.0.0', 'request.json');
  const statement = await grant(request, 'alice');
  expect(await refusal(site, await carry(statement, 'one.json'))).toBe('EXCEPTION_INVALID');
  expect(await refusal(site, request)).toBe('EXCEPTION_INVALID');
  await lane.sealane(['exception', 'create', '--with', statement, '--key', 'bob', '--reason', 'agreed']);
  const both = await carry(statement, 'both.json');
  expect(await refusal(other, both)).toBe('EXCEPTION_INVALID');

  const [first, ...rest] = JSON.parse(readFileSync(both, 'utf8')) as { dsseEnvelope: { payload: string } }[];
  const payload = Buffer.from(first?.dsseEnvelope.payload ?? '', 'base64').toString();
  const edited = Buffer.from(payload.replace(/"expiresAt":"\d{4}/, '"expiresAt":"2099')).toString('base64');
  writeFileSync(file('edited.json'), JSON.stringify([{ ...first, dsseEnvelope: { ...first?.dsseEnvelope, payload: edited } }, ...rest]));
  expect(await refusal(site, file('edited.json'))).toBe('EXCEPTION_INVALID');
  writeFileSync(file('twice.json'), JSON.stringify([first, first]));
  expect(await refusal(site, file('twice.json'))).toBe('EXCEPTION_INVALID');
  const late = await site.run(['exception', 'apply', both], clockAhead(3 * DAY_MS));
  expect([late.exit, late.json.error.code]).toEqual([4, 'EXCEPTION_INVALID']);
  expect(await site.must(['rollback', older], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });

  // two at once: it is taken in once, whoever comes first
  await Promise.all([site.run(['exception', 'apply', both]), site.run(['exception', 'apply', both])]);
  expect(await site.must(['exception', 'apply', both])).toMatchObject({ kind: 'rollback', by: ['alice', 'bob'], release: older });
  expect(await site.must(['rollback', releases['1.1.0'] ?? ''], 3)).toMatchObject({ reason: 'RELEASE_REVOKED' });
  expect(await site.must(['rollback', older])).toMatchObject({ outcome: 'installed', release: older });
  expect(versionOnDisk(site.state)).toBe('1.0.0');
});

test('A13 it is used once: taking it in again, or going back again, is refused', async () => {
  expect(await refusal(site, file('both.json'))).toBe('EXCEPTION_INVALID');
  releases['1.2.1'] = await lane.release('1.2.1');
  await lane.promote(releases['1.2.1']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: releases['1.2.1'] });
  expect(await site.must(['rollback', releases['1.0.0'] ?? ''], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
});

test('A13 nobody grants a revoked release, a kind that policy does not have, or what a stranger asks for', async () => {
  const revoked = await ask('rollback', '1.1.0', 'revoked.json');
  const words = ['exception', 'create', '--request', revoked, '--key', 'alice', '--reason', 'please'];
  expect((await lane.sealane(words, 3)).error.code).toBe('EXCEPTION_DENIED');
  const stale = await ask('stale', '1.2.1', 'stale-request.json');
  const byBob = ['exception', 'create', '--request', stale, '--key', 'bob', '--reason', 'please'];
  expect((await lane.sealane(byBob, 3)).error.code).toBe('EVIDENCE_SIGNER');
  const forged = readFileSync(stale, 'utf8').replace(/"payload":"[^"]+"/, (text) => {
    const said = Buffer.from(text.slice('"payload":"'.length, -1), 'base64').toString();
    return `"payload":"${Buffer.from(said.replaceAll('shop-1', 'shop-2')).toString('base64')}"`;
  });
  writeFileSync(file('forged.json'), forged);
  const strange = ['exception', 'create', '--request', file('forged.json'), '--key', 'alice', '--reason', 'please'];
  expect((await lane.sealane(strange, 3)).error.code).toBe('EVIDENCE_SIGNER');
});

test('A13 with stale trust a site installs the one release that was let through, and nothing else', async () => {
  for (const version of ['1.3.0', '1.4.0']) releases[version] = await lane.release(version);
  await lane.promote(releases['1.3.0'] ?? '');
  await site.must(['mirror', 'sync']);
  const after = clockAhead(40 * DAY_MS);
  const update = (): ReturnType<TestSite['run']> => site.run(['update'], after);
  expect((await update()).json).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });

  const wrong = await carry(await grant(await ask('stale', '1.4.0', 'wrong-request.json'), 'alice', '--days', '30'), 'wrong.json');
  const short = await site.run(['exception', 'apply', wrong], after);
  expect([short.exit, short.json.error.code]).toEqual([4, 'EXCEPTION_INVALID']);

  const soon = clockAhead(29 * DAY_MS);
  expect((await site.run(['update'], soon)).json).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
  expect((await site.run(['exception', 'apply', wrong], soon)).json).toMatchObject({ kind: 'stale', release: releases['1.4.0'] });
  expect((await site.run(['update'], soon)).json).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
  expect(versionOnDisk(site.state)).toBe('1.2.1');

  const right = await carry(await grant(await ask('stale', '1.3.0', 'right-request.json'), 'alice', '--days', '30'), 'right.json');
  expect((await site.run(['exception', 'apply', right], soon)).exit).toBe(0);
  const installed = (await site.run(['update'], soon)).json;
  expect(installed).toMatchObject({ outcome: 'installed', release: releases['1.3.0'] });
  expect(installed.checks.find(({ id }: { id: string }) => id === 'stale')).toMatchObject({ verdict: 'pass' });
  const again = await site.run(['exception', 'apply', right], soon);
  expect([again.exit, again.json.error.code]).toEqual([4, 'EXCEPTION_INVALID']);
});

test('A13 the receipts tell, and each use is an open debt until somebody else has reviewed it', async () => {
  const out = path.join(site.dir, 'out');
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.json')))
    await lane.sealane(['statement', 'add', path.join(out, name)]);
  const open = (await lane.sealane(['exception', 'list', '--open'])).exceptions;
  expect(open).toMatchObject([
    { kind: 'rollback', site: { name: 'shop-1' }, release: releases['1.0.0'], grantedBy: ['alice', 'bob'], usedBy: [expect.any(String)] },
    { kind: 'stale', site: { name: 'shop-1' }, release: releases['1.3.0'], grantedBy: ['alice'], usedBy: [expect.any(String)] },
  ]);
  const { statements } = open.find(({ kind }: { kind: string }) => kind === 'stale');
  await lane.sealane(['exception', 'review', statements[0], '--key', 'bob', '--reason', 'the link was down']);
  expect((await lane.sealane(['exception', 'list', '--open'])).exceptions).toHaveLength(1);
});
