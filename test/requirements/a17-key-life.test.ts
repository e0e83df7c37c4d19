/**
 * The life of every key: owners on machines of their own replace each role over three root versions while a site is offline; the site then catches up
 * by itself. A stolen key ends at an index of the log: what it signed before stands.
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { carry, moveAway, type OwnerMachine } from '../support/owners.js';
import { runJson } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

interface KeyRow {
  readonly id: string;
  readonly names: readonly string[];
  readonly keptIn: readonly string[];
  readonly uses: readonly string[];
  readonly untilIndex: number | null;
  readonly expiresAt: string;
  readonly signed: readonly { readonly predicateType: string; readonly count: number }[];
}

/** Keys of the promoter, of people and of labs, whose successors one targets version brings. */
const NAMED_BY_TARGETS = ['dev', 'edge-preprod', 'prod', 'registrar', 'author', 'builder', 'lab', 'alice', 'bob'] as const;

let dir: string;
let lane: TestLane;
let site: TestSite;
let owners: Readonly<Record<string, OwnerMachine>>;
let first: string;
let second: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a17-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  first = await lane.release('1.0.0');
  await lane.promote(first);
  await site.must(['update']);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const keys = async (): Promise<readonly KeyRow[]> => (await lane.sealane(['key', 'list'])).keys;
const keyNamed = async (name: string): Promise<KeyRow | undefined> => (await keys()).find(({ names }) => names.includes(name));
const versions = async (): Promise<Record<string, number>> => (await lane.sealane(['trust', 'verify'])).versions;
const proposal = (): string => path.join(lane.home, 'proposal.json');

/** Publishes the open proposal with the signatures that these owners made on their machines. */
async function publishSignedBy(...names: readonly (readonly [owner: string, key?: string])[]): Promise<void> {
  const copies: string[] = [];
  for (const [owner, key] of names) copies.push((await owners[owner]?.sign(proposal(), key)) ?? '');
  await lane.sealane(['trust', 'publish', ...copies]);
}

describe('the keys of a lane', () => {
  test('A17 key list says where each key is used and kept, what it signed, and when it expires', async () => {
    const rows = await keys();
    for (const { uses, expiresAt, keptIn } of rows) {
      expect(uses).not.toEqual([]);
      // a witness keeps its key itself
      if (!uses.every((use) => use.startsWith('cosigns as witness '))) expect(keptIn).toEqual(['plain file']);
      expect(expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    const byName = new Map(rows.map((row) => [row.names[0] ?? '', row]));
    expect(byName.get('root-1')?.uses).toEqual(['owner of root']);
    expect(byName.get('timestamp')?.uses).toEqual(['signs timestamp']);
    expect(byName.get('prod')?.uses).toEqual(expect.arrayContaining(['signs channel prod', 'decides for prod']));
    expect(byName.get('alice')?.signed).toEqual([{ predicateType: 'urn:sealane:approval:v1', count: 1 }]);
    expect(byName.get('author')?.signed).toEqual([{ predicateType: 'urn:sealane:release:v1', count: 1 }]);
    expect(byName.get('registrar')?.uses).toContain('prod: registrar');
    expect(byName.get('log')?.uses).toEqual(['signs the log']);
    expect(rows.filter(({ uses }) => uses.some((use) => use.startsWith('cosigns as witness ')))).toHaveLength(1);
    expect(byName.get('root-2')?.signed).toEqual([]);
  });

  test('A17 root ceremony: owners sign on machines of their own, and the promoter holds none of their keys', async () => {
    const machines = await Promise.all(
      ['root-1', 'root-2', 'root-3', 'targets-1', 'targets-2'].map(async (name) => [name, await moveAway(lane, name)] as const),
    );
    owners = Object.fromEntries(machines);
    expect(readdirSync(path.join(lane.home, 'owners')).filter((name) => !name.endsWith('.pub.pem'))).toEqual([]);
    // root version 2: new keys of the online roles and of one owner, which that owner made at home
    for (const name of ['timestamp', 'snapshot']) await lane.sealane(['key', 'rotate', name], 5);
    carry(lane, (await owners['root-1']?.nextKey()) ?? '');
    await lane.sealane(['trust', 'propose'], 5);
    const copy = await owners['root-2']?.sign(proposal());
    // one of two old owners is not enough, whatever the new owner says
    const refused = await lane.sealane(['trust', 'publish', copy ?? '', (await owners['root-1']?.sign(proposal(), 'root-1-new')) ?? ''], 5);
    expect(refused.error.code).toBe('TRUST_UNSIGNED');
    expect(await versions()).toMatchObject({ root: 1 });
    await publishSignedBy(['root-2'], ['root-3'], ['root-1', 'root-1-new']);
    expect(await versions()).toMatchObject({ root: 2 });
  });

  test('A17 every role gets a new key while the site is offline: root, targets, stages, people, labs, registrar', async () => {
    // root version 3: an owner of targets; root signs it, and targets signs itself anew
    carry(lane, (await owners['targets-1']?.nextKey()) ?? '');
    await lane.sealane(['trust', 'propose', '--renew'], 5);
    await publishSignedBy(['root-2'], ['root-3'], ['targets-1', 'targets-1-new'], ['targets-2']);
    expect(await versions()).toMatchObject({ root: 3, targets: 2 });
    // one targets version: everybody whom policies name
    const before = await keys();
    for (const name of NAMED_BY_TARGETS) await lane.sealane(['key', 'rotate', name], 5);
    await publishSignedBy(['targets-1', 'targets-1-new'], ['targets-2']);
    const after = await keys();
    for (const name of NAMED_BY_TARGETS) {
      const [old, current] = [before, after].map((rows) => rows.find(({ names }) => names.includes(name)));
      expect(current?.id).not.toBe(old?.id);
      expect(after.find(({ id }) => id === old?.id)?.untilIndex).toEqual(expect.any(Number));
    }
    // root version 4: the online roles once more
    for (const name of ['timestamp', 'snapshot']) await lane.sealane(['key', 'rotate', name], 5);
    await publishSignedBy(['root-1', 'root-1-new'], ['root-3']);
    expect(await versions()).toMatchObject({ root: 4, targets: 3 });
    // the keys of before are gone: nothing below is signed by one
    for (const name of readdirSync(path.join(lane.home, 'keys')).filter((file) => file.includes('.retired-')))
      rmSync(path.join(lane.home, 'keys', name));
    second = await lane.release('1.1.0');
    await lane.promote(second);
  });

  test('A17 the site catches up over three root versions by itself, and another joins under the new registrar', async () => {
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second, previous: first });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    // what was decided and tested under the keys of before still stands, offline
    expect(await site.must(['rollback'])).toMatchObject({ release: first });
    const late = await enrolSite(lane, path.join(dir, 'late'), { name: 'harbour-8' });
    expect(await late.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
    await late.stop();
  });

  test('A17 a stolen key is void from the index on that the owners set; what it signed before stands', async () => {
    const third = await lane.release('1.2.0');
    await lane.sealane(['evidence', 'add', third, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
    const lab = ['--tests', path.join(dir, 'junit.xml'), '--hardware', lane.hardware, '--key', 'lab'];
    const { statements } = await lane.sealane(['evidence', 'add', third, ...lab]);
    const index = Math.min(...(statements as { logIndex: number }[]).map(({ logIndex }) => logIndex));
    await lane.sealane(['key', 'revoke', 'lab', '--until-index', String(index), '--reason', 'stolen from the bench'], 5);
    await publishSignedBy(['targets-1', 'targets-1-new'], ['targets-2']);
    expect(await keyNamed('lab')).toMatchObject({ untilIndex: index, signed: [{ count: 2 }] });
    const { checks } = await lane.sealane(['promote', third, '--to', 'dev'], 3);
    expect(checks).toContainEqual(expect.objectContaining({ id: 'tests', verdict: 'fail', code: 'KEY_REVOKED' }));
    // the release that the lab tested before is what prod goes on running
    expect(await site.must(['update'])).toMatchObject({ release: second });
    expect(existsSync(path.join(lane.home, 'proposal.json'))).toBe(false);
  });

  test('A17 files of private keys that others can read sign nothing', async () => {
    const file = path.join(dir, 'open.pem');
    await lane.sealane(['key', 'create', file]);
    writeFileSync(path.join(dir, 'copy.pem'), readFileSync(file), { mode: 0o644 });
    const refused = await lane.sealane(['approve', second, '--to', 'prod', '--key', `file:${path.join(dir, 'copy.pem')}`], 2);
    expect(refused.error.code).toBe('KEY_EXPOSED');
    const witness = path.join(dir, 'witness-2.pem');
    await lane.sealane(['key', 'create', witness, '--type', 'ed25519']);
    chmodSync(witness, 0o640);
    const words = ['--state', path.join(dir, 'witness-2'), '--log', path.join(lane.home, 'log.vkey'), '--listen', '127.0.0.1:0'];
    const serve = await runJson('sealane', ['witness', 'serve', ...words, '--key', `file:${witness}`]);
    expect({ exit: serve.exit, code: serve.json.error.code }).toEqual({ exit: 2, code: 'KEY_EXPOSED' });
  });
});
