/** B22: a site is retired by its registrar: it leaves a last receipt, wipes what it holds and its key, and counts no more; its host may become another site. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { PREDICATE, signStatement } from '@sealane/core';
import { encodeBundle, parseBundle, readReceipt, receiptStatement } from '@sealane/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { filesLeft } from '../support/retired.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let receipts: string;
let release: string;
const sites: TestSite[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b22-'));
  lane = await makeLane(dir);
  receipts = path.join(dir, 'receipts');
  release = await lane.release('1.0.0');
  await lane.promote(release);
});

afterAll(async () => {
  for (const site of sites) await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function siteOf(name: string, more: Parameters<typeof enrolSite>[2] = {}): Promise<TestSite> {
  const site = await enrolSite(lane, path.join(dir, name), { name, receiptsTo: receipts, ...more });
  sites.push(site);
  return site;
}

const retire = (name: string, exit = 0, key = 'registrar'): ReturnType<TestLane['sealane']> =>
  lane.sealane(['site', 'retire', name, '--reason', 'the quay is closed', '--key', key], exit);

/** What outlives the wipe; in the mirror only how its links were. */
const KEPT = ['journal', 'receipts', 'trust.json', 'mirror/routes.json'];

describe('B22 retire', () => {
  it('B22 the site stops, leaves a last receipt, wipes mirror, releases and key, and says so from then on', async () => {
    const site = await siteOf('quay-1');
    await site.must(['update']);
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    const retired = await retire('quay-1');
    expect(retired).toMatchObject({ site: 'quay-1', stage: 'prod', statements: [{ predicateType: PREDICATE.retirement }] });

    expect(await site.must(['check'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_RETIRED' });
    expect(existsSync(path.join(site.state, 'site.pem'))).toBe(true);
    expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_RETIRED', previous: release });
    expect(filesLeft(site)).toEqual(KEPT);
    expect(await site.must(['status'])).toMatchObject({
      state: 'retired',
      retired: 'the quay is closed',
      current: null,
      receiptsQueued: 0,
    });

    expect(await bringReceipts('quay-1')).toHaveLength(2);
    const shown = await lane.sealane(['site', 'show', 'quay-1']);
    expect(shown).toMatchObject({ retired: true, lastEvent: 'retired' });
    expect(shown.receipts.at(-1)).toMatchObject({ event: 'retired', reason: 'SITE_RETIRED' });
    expect((await lane.sealane(['audit', 'at', 'quay-1'])).answer).toMatchObject({ release: null });

    for (const words of [['update'], ['rollback']]) expect(await site.must(words, 3)).toMatchObject({ reason: 'SITE_RETIRED' });
    const medium = path.join(dir, 'medium');
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    expect((await site.must(['media', 'import', medium], 3)).error.code).toBe('SITE_RETIRED');
  });

  it('B22 a medium carries it too, to a site that is held and waits for a person', async () => {
    const site = await siteOf('island-1', { upstreams: [] });
    const medium = mkdtempSync(path.join(dir, 'stick-'));
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    await site.must(['media', 'import', medium]);
    await site.must(['update']);
    await site.must(['hold', '--reason', 'crane works']);
    await retire('island-1');
    const next = mkdtempSync(path.join(dir, 'stick-'));
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', next]);
    await site.must(['media', 'import', next]);
    expect(existsSync(path.join(site.state, 'site.pem'))).toBe(true);
    expect(await site.must(['update'], 3)).toMatchObject({ reason: 'SITE_RETIRED' });
    expect(existsSync(path.join(site.state, 'site.pem'))).toBe(false);
  });

  it('B22 nobody but the registrar retires: a stage’s key, which is online, wipes nothing', async () => {
    const site = await siteOf('quay-2');
    await site.must(['update']);
    expect((await retire('quay-2', 3, 'prod')).error.code).toBe('EVIDENCE_SIGNER');
    expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
    await site.stop();
  });
});

describe('B22 after it', () => {
  it('B22 its record counts no more: no certificate, no receipt after the last one; said again, the same word is sent again', async () => {
    const site = await siteOf('quay-3');
    await site.must(['update']);
    const key = readFileSync(path.join(site.state, 'site.pem'));
    const request = path.join(dir, 'early.json');
    await site.must(['certificate', 'request', '--out', request]);
    await retire('quay-3');
    expect(await retire('quay-3')).toMatchObject({ reason: 'the quay is closed', statements: [] });
    expect((await lane.sealane(['site', 'certify', request], 3)).error.code).toBe('CERTIFICATE_DENIED');
    await site.must(['update'], 3);
    const last = (await bringReceipts('quay-3')).at(-1);

    // who kept a copy of the key goes on with it
    const forged = path.join(dir, 'forged.json');
    writeFileSync(forged, JSON.stringify(await receiptAfter(path.join(receipts, last ?? ''), key)));
    expect((await lane.sealane(['statement', 'add', forged], 3)).error.code).toBe('EVIDENCE_SIGNER');
  });

  it('B22 the host becomes a site of another stage, with a key of its own; neither its record nor its labels open prod', async () => {
    const site = await siteOf('quay-4');
    await site.must(['update']);
    const old = JSON.parse(readFileSync(path.join(site.dir, 'record.json'), 'utf8')) as unknown;
    await retire('quay-4');
    await site.must(['update'], 3);
    const config = path.join(site.dir, 'site.yaml');
    const stage = (name: string): void => writeFileSync(config, readFileSync(config, 'utf8').replace(/^stage: .*$/m, `stage: ${name}`));
    stage('edge-preprod');
    const [request, record] = [path.join(site.dir, 'again.json'), path.join(site.dir, 'again-record.json')];
    await site.must(['enroll', '--name', 'quay-4', '--out', request]);
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    // the record of before is one for a key that is gone
    expect((await site.must(['enroll', '--record', path.join(site.dir, 'record.json'), '--root', root], 3)).error.code).toBe(
      'SITE_MISMATCH',
    );
    const add = ['site', 'add', request, '--stage', 'edge-preprod', '--label', 'ring=1', '--key', 'registrar', '--out', record];
    const added = await lane.sealane(add);
    expect(JSON.stringify(old)).not.toContain(added.keyId);
    await site.must(['enroll', '--record', record, '--root', root]);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
    expect((await lane.sealane(['site', 'show', 'quay-4'])).retired).toBe(false);

    stage('prod');
    expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_MISMATCH' });
    stage('edge-preprod');
    const file = path.join(site.state, 'record.json');
    const bundle = JSON.parse(readFileSync(file, 'utf8')) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    for (const [from, to] of [
      ['"stage":"edge-preprod"', '"stage":"prod"'],
      ['"ring":"1"', '"ring":"0"'],
    ] as const) {
      const forged = {
        ...bundle,
        dsseEnvelope: { ...bundle.dsseEnvelope, payload: Buffer.from(payload.replace(from, to)).toString('base64') },
      };
      writeFileSync(file, JSON.stringify(forged));
      expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_MISMATCH' });
    }
  });
});

/** What lies where the site sends its receipts, handed in. */
async function bringReceipts(name: string): Promise<readonly string[]> {
  const names = readdirSync(receipts).filter((each) => each.startsWith(`${name}-`));
  await lane.sealane(['statement', 'add', ...names.map((each) => path.join(receipts, each))]);
  return names;
}

/** The receipt that would come after one, signed by whoever has the key. */
async function receiptAfter(file: string, pem: Buffer): Promise<object> {
  const before = parseBundle(new Uint8Array(readFileSync(file)));
  const predicate = readReceipt(before.statement);
  const key = createPrivateKey(pem);
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const signer = { keyId: predicate.keyId, spki, sign: (data: Uint8Array) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
  const next = {
    ...predicate,
    seq: predicate.seq + 1,
    prev: before.statementDigest,
    event: 'installed' as const,
    release: predicate.previous,
  };
  return encodeBundle(await signStatement(receiptStatement(next), signer));
}
