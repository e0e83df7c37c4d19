/** B16: a node that was replaced gets its record from the registrar's delegate, with no lane in reach; nobody gets more by it than the registrar gave. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Signer, signStatement } from '@sealane/core';
import {
  type DelegationPredicate,
  delegationStatement,
  encodeBundle,
  parseBundle,
  readDelegation,
  readSiteRecord,
  type SiteRecordPredicate,
  siteRecordStatement,
} from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPrivateKey, signerOf } from '../../packages/promoter/src/signers/key-file.js';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson, ROOT, runJson, type RunOptions } from '../support/run.js';
import { enrolSite, siteAt, siteYaml, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let medium: string;
let delegation: string;
const sites: TestSite[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b16-delegate-'));
  lane = await makeLane(dir);
  for (const name of ['harbour-7', 'quay-1']) sites.push(await enrolSite(lane, path.join(dir, name), { name, upstreams: [] }));
  await lane.promote(await lane.release('1.0.0'));
  medium = path.join(dir, 'medium');
  await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  // on the machine of whoever looks after the town
  for (const who of ['town', 'stranger']) await expectJson('sealane', ['key', 'create', who, '--home', path.join(dir, 'there')]);
  delegation = path.join(dir, 'delegation.json');
  await delegate(delegation, ['harbour-7'], 30);
});

afterAll(async () => {
  for (const site of sites) await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const keyOf = (who: string): string => path.join(dir, 'there', 'keys', `${who}.pem`);

async function delegate(out: string, names: readonly string[], days: number, key = 'registrar', exit = 0): ReturnType<TestLane['sealane']> {
  const words = ['site', 'delegate', ...names.flatMap((name) => ['--site', name]), '--to', keyOf('town'), '--days', String(days)];
  return await lane.sealane([...words, '--reason', 'the winter', '--key', key, '--out', out], exit);
}

/** A node in the place of one that is gone: no state, and a key of its own. */
async function newNode(folder: string, name = 'harbour-7'): Promise<TestSite> {
  const site = siteAt(path.join(dir, folder), name);
  sites.push(site);
  mkdirSync(site.dir, { recursive: true });
  writeFileSync(site.config, siteYaml(lane, { name, upstreams: [] }));
  await site.must(['enroll', '--name', name, '--out', path.join(site.dir, 'request.json')]);
  return site;
}

/** Asks the delegate for a record; it has no home and no lane. */
async function replace(site: TestSite, by: string, file = delegation, run?: RunOptions): ReturnType<typeof runJson> {
  const words = ['site', 'replace', path.join(site.dir, 'request.json'), '--delegation', file];
  return await runJson('sealane', [...words, '--key', `file:${keyOf(by)}`, '--out', path.join(site.dir, 'record.json')], run);
}

async function enrol(site: TestSite, record = path.join(site.dir, 'record.json')): Promise<void> {
  await site.must(['enroll', '--record', record, '--root', path.join(lane.lane, 'trust', 'metadata', '1.root.json')]);
  await site.must(['media', 'import', medium]);
}

test('B16 the replaced node is enrolled by the delegate, installs from a medium, and the registrar’s own record takes over later', async () => {
  const node = await newNode('replaced');
  expect((await replace(node, 'town')).exit).toBe(0);
  await enrol(node);
  expect(await node.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(versionOnDisk(node.state)).toBe('1.0.0');

  // when somebody comes to the registrar again: the same request, and what the node told meanwhile is taken in
  const record = path.join(dir, 'record-of-registrar.json');
  await lane.sealane([
    'site',
    'add',
    path.join(node.dir, 'request.json'),
    '--stage',
    'prod',
    '--label',
    'region=north',
    '--key',
    'registrar',
    '--out',
    record,
  ]);
  await enrol(node, record);
  expect(await node.must(['update'])).toMatchObject({ outcome: 'unchanged' });
  const { answer } = await lane.sealane(['audit', 'keys']);
  const roles = answer.keys.flatMap((key: { readonly roles: readonly string[] }) => key.roles);
  expect(roles).toContainEqual(expect.stringMatching(/^delegate harbour-7 until 20/));
});

test('B16 a delegate gives no record to another site, nor with another’s key, nor after the day', async () => {
  expect((await replace(await newNode('other', 'quay-1'), 'town')).json).toMatchObject({ error: { code: 'SITE_MISMATCH' } });
  const node = await newNode('in-vain');
  expect((await replace(node, 'stranger')).json).toMatchObject({ error: { code: 'SITE_MISMATCH' } });
  const none = path.join(dir, 'no-delegation.json');
  writeFileSync(none, '{"x":1}');
  expect((await replace(node, 'town', none)).json).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
  const late = await replace(node, 'town', delegation, clockAhead(31 * 86_400_000));
  expect(late.json).toMatchObject({ error: { code: 'SITE_MISMATCH' } });
});

test('B16 only a registrar delegates, and only sites that are in force', async () => {
  const out = path.join(dir, 'none.json');
  expect(await delegate(out, ['harbour-7'], 30, 'alice', 3)).toMatchObject({ error: { code: 'EVIDENCE_SIGNER' } });
  expect(await delegate(out, ['calais-1'], 30, 'registrar', 2)).toMatchObject({ error: { code: 'SITE_UNKNOWN' } });
  await lane.sealane(['site', 'fence', 'quay-1', '--reason', 'a break-in']);
  expect(await delegate(out, ['quay-1'], 30, 'registrar', 2)).toMatchObject({ error: { code: 'USAGE' } });
});

test('B16 a node takes no record that says more than the registrar said, and none after the day', async () => {
  const node = await newNode('attacked');
  await replace(node, 'town');
  const [given, by] = JSON.parse(readFileSync(path.join(node.dir, 'record.json'), 'utf8'));
  const [record, granted] = [readSiteRecord(parseBundle(given).statement), readDelegation(parseBundle(by).statement)];
  const town = signerOf(readPrivateKey(keyOf('town')));
  const ofStage = signerOf(readPrivateKey(path.join(ROOT, 'keys-example', 'prod.pem')));
  const signed = async (payload: Uint8Array, signer: Signer): Promise<object> => encodeBundle(await signStatement(payload, signer));
  const recordWith = (change: Partial<SiteRecordPredicate>, signer = town): Promise<object> =>
    signed(siteRecordStatement({ ...record, ...change }), signer);
  const delegationBy = (signer: Signer, change: Partial<DelegationPredicate> = {}): Promise<object> =>
    signed(delegationStatement({ ...granted, ...change }), signer);
  const forged: Readonly<Record<string, readonly [object, object]>> = {
    'another label': [await recordWith({ labels: { region: 'south' } }), by],
    'by a stranger': [await recordWith({}, signerOf(readPrivateKey(keyOf('stranger')))), by],
    'by the stage': [given, await delegationBy(ofStage)],
    'by the delegate himself, for longer': [given, await delegationBy(town, { expiresAt: '2099-01-01T00:00:00Z' })],
    'by the delegate, for a key of his': [
      given,
      await delegationBy(town, { sites: [{ site: 'harbour-7', labels: { region: 'north' } }], reason: 'I delegate on' }),
    ],
  };
  await enrol(node);
  for (const [what, pair] of Object.entries(forged)) {
    const file = path.join(node.dir, 'forged.json');
    writeFileSync(file, JSON.stringify(pair));
    await enrol(node, file);
    expect(await node.must(['check'], 3), what).toMatchObject({ outcome: 'refused', reason: 'SITE_MISMATCH' });
  }
  // a record alone is the delegate's word and nobody's
  writeFileSync(path.join(node.dir, 'alone.json'), JSON.stringify(given));
  await enrol(node, path.join(node.dir, 'alone.json'));
  expect(await node.must(['check'], 3)).toMatchObject({ reason: 'SITE_MISMATCH' });

  const short = path.join(dir, 'one-day.json');
  await delegate(short, ['harbour-7'], 1);
  await replace(node, 'town', short);
  await enrol(node);
  expect(await node.must(['check'])).toMatchObject({ outcome: 'available' });
  const later = await node.run(['check'], clockAhead(2 * 86_400_000));
  expect({ exit: later.exit, reason: later.json.reason }, later.stderr).toEqual({ exit: 3, reason: 'SITE_MISMATCH' });
});
