/** A log of before strangers' words were refused holds some: each reader passes over them, one test a reader. Everything here is signed by keys that the lane knows, for other things. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { base64, type Digest, fromUtf8, hex, keyIdOf, parseDigest, PREDICATE, sha256, signStatement, utf8 } from '@sealane/core';
import {
  decisionStatement,
  exceptionStatement,
  receiptStatement,
  releaseStatement,
  retirementStatement,
  revocationStatement,
  siteRecordStatement,
} from '@sealane/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleFile, logAsIs, signedAs } from '../testing/forged.js';
import { makeHome, PIPELINE, PROVENANCE, type TestHome } from '../testing/test-home.js';

const AT = '2026-11-24T10:00:00Z';
const SALT = '0'.repeat(32);
const RULES = `${PIPELINE}exceptions:\n  - { kind: stale, people: [alice], need: 1, maxDays: 2, maxUses: 1 }\n  - { kind: gate, people: [alice], need: 1, maxDays: 2, maxUses: 1 }\n`;

let lane: TestHome;
let release: Digest;

beforeEach(async () => {
  lane = await makeHome(RULES);
  release = parseDigest(await lane.release('1.0.0'));
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', PROVENANCE), '--key', 'builder']);
});
afterEach(async () => {
  await lane.stop();
});

const logBy = async (key: string, payload: Uint8Array): Promise<number> => await logAsIs(lane, await signedAs(lane, key, payload));

function decision(stage: string, counter: number, about = release): Uint8Array {
  const from = stage === 'dev' ? null : 'dev';
  const promotion = { counter, from, to: stage, rollout: ['all'], approvals: [], checks: [], release: about };
  return decisionStatement({ origin: 'lane.example', stage, timeVerified: AT, policy: release, inputs: [], result: 'PASSED', promotion });
}

function newKey(): { readonly id: string; readonly spki: string } {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { id: keyIdOf(spki), spki: base64(spki) };
}

const record = (site: string, key: { readonly id: string; readonly spki: string }, stage = 'prod'): Uint8Array =>
  siteRecordStatement({ site, key, stage, labels: {}, nonce: SALT, issuedAt: AT });

async function keyNamed(name: string): Promise<{ readonly id: string; readonly spki: string }> {
  const { spki } = await signedAs(lane, name, new Uint8Array());
  return { id: keyIdOf(spki), spki: base64(spki) };
}

describe('decisions', () => {
  const groups = async (stage: string) => (await lane.sealane(['channel', 'show', stage])).groups;

  it('count for no counter and no list', async () => {
    await logBy('lab', decision('dev', 7));
    await logBy('prod', decision('dev', 8));
    expect((await lane.sealane(['release', 'list'])).releases).toMatchObject([{ release, stages: [] }]);
    await lane.sealane(['promote', release, '--to', 'dev']);
    expect(await groups('dev')).toMatchObject([{ release, counter: 1 }]);
    expect((await lane.sealane(['release', 'list'])).releases).toMatchObject([{ release, stages: ['dev'] }]);
  });

  it('that were counted once leave no counter that is given twice', async () => {
    await logBy('dev', decision('dev', 2));
    await logBy('lab', decision('dev', 3));
    await lane.sealane(['promote', release, '--to', 'dev']);
    expect(await groups('dev')).toMatchObject([{ release, counter: 3 }]);
  });

  it('raise no floor', async () => {
    for (const counter of [1, 2, 3]) await logBy('lab', decision('prod', counter));
    await lane.sealane(['revoke', release, '--floor', '--reason', 'fails']);
    expect((await lane.sealane(['channel', 'show', 'prod'])).floor).toMatchObject({ counter: 1 });
  });

  it('are in no waybill that is made anew', async () => {
    await logBy('lab', decision('dev', 1));
    await lane.sealane(['promote', release, '--to', 'dev']);
    const before = await groups('dev');
    await lane.sealane(['rig', 'revoke', '--serial', 'S-1', '--reason', 'loose', '--key', 'registrar']);
    expect(await groups('dev')).toEqual(before);
  });
});

describe('records of sites', () => {
  const sites = async () => (await lane.sealane(['site', 'list'])).sites;

  it('make no site, and hide none', async () => {
    const key = newKey();
    await logBy('registrar', record('shop-1', key));
    await logBy('lab', record('shop-1', newKey(), 'dev'));
    await logBy('lab', record('edge-1', newKey()));
    expect(await sites()).toMatchObject([{ site: 'shop-1', stage: 'prod', keyId: key.id }]);
    expect(await lane.sealane(['site', 'show', 'shop-1'])).toMatchObject({ site: 'shop-1', keyId: key.id });
    const out = path.join(lane.dir, 'stick');
    const words = ['media', 'export', '--stage', 'prod', '--out', out, '--site', 'edge-1'];
    expect((await lane.run(words)).json.error?.code).toBe('SITE_UNKNOWN');
    await lane.sealane(words.with(-1, 'shop-1'));
  });

  it('are no word of the registrar to auditors: a doubt, no other stage of a site, and no witness of a fork', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const forger = {
      keyId: keyIdOf(spki),
      spki,
      sign: (data: Uint8Array) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))),
    };
    await logBy('registrar', record('shop-1', newKey()));
    await logBy('lab', record('shop-1', newKey(), 'dev'));
    await logBy('lab', record('edge-1', { id: forger.keyId, spki: base64(spki) }));
    await lane.sealane(['publish', '--refresh']);
    expect(await lane.sealane(['audit', 'at', 'edge-1'], 4)).toMatchObject({ complete: false, answer: { release: null, history: [] } });
    const before = ['audit', 'at', 'shop-1', '--as-of', '2020-01-01T00:00:00Z'];
    expect(await lane.sealane(before, 4)).toMatchObject({ answer: { site: 'shop-1', stage: 'prod' } });
    const forked = receiptStatement({
      ...{ site: 'edge-1', keyId: forger.keyId, seq: 1, prev: null, event: 'installed', release, waybill: null, previous: null },
      ...{ reason: null, checks: [], at: AT, hardware: {}, salt: SALT },
      checkpoint: { origin: 'lane.example', size: 1, root: base64(new Uint8Array(32)) },
    });
    const seen = bundleFile(lane, await signStatement(forked, forger));
    expect((await lane.run(['audit', 'verify', '--seen', seen])).json.error?.code).toBe('STATEMENT_SIGNATURE');
  });

  it('give no key to sign receipts with', async () => {
    await logBy('registrar', record('shop-1', newKey()));
    const lab = await keyNamed('lab');
    await logBy('lab', record('shop-1', lab));
    const said = receiptStatement({
      ...{ site: 'shop-1', keyId: lab.id, seq: 1, prev: null, event: 'installed', release, waybill: null, previous: null, reason: null },
      ...{ checks: [], at: AT, hardware: {}, checkpoint: null, salt: SALT },
    });
    const brought = await lane.run(['statement', 'add', bundleFile(lane, await signedAs(lane, 'lab', said))]);
    expect(brought).toMatchObject({ exit: 3, json: { error: { code: 'EVIDENCE_SIGNER' } } });
    expect(await sites()).toMatchObject([{ site: 'shop-1', lastEvent: null }]);
  });

  it('are ended by no word but the registrar’s', async () => {
    const key = newKey();
    await logBy('registrar', record('shop-1', key));
    const end = retirementStatement({ site: 'shop-1', keyId: key.id, stage: 'prod', reason: 'sold', issuedAt: AT, salt: SALT });
    await logBy('lab', end);
    expect(await sites()).toMatchObject([{ site: 'shop-1', retired: false }]);
    await logBy('registrar', end);
    expect(await sites()).toMatchObject([{ site: 'shop-1', retired: true }]);
  });
});

describe('names of releases', () => {
  const other = parseDigest(`sha256:${'7'.repeat(64)}`);
  const named = (version: string): Uint8Array =>
    releaseStatement(other, {
      ...{ name: 'api', version, salt: SALT },
      components: [{ name: 'app', kind: 'files', digest: other, size: 1, mediaType: 'application/octet-stream' }],
    });

  it('stand for what an author called so, whoever called another so before', async () => {
    await logBy('lab', named('2.0.0'));
    const unknown = await lane.run(['plan', 'api@2.0.0', '--to', 'dev']);
    expect(unknown.json.error).toMatchObject({ code: 'RELEASE_UNKNOWN', message: expect.stringContaining(other) });
    const second = await lane.release('2.0.0');
    await lane.sealane(['publish', '--refresh']);
    expect(await lane.sealane(['release', 'show', 'api@2.0.0'])).toMatchObject({ release: second });
    expect(await lane.sealane(['plan', 'api@2.0.0', '--to', 'dev'], 3)).toMatchObject({ release: second });
    expect(await lane.sealane(['audit', 'trace', 'api@2.0.0'])).toMatchObject({ answer: { release: second } });
    expect((await lane.sealane(['release', 'list'])).releases).toMatchObject([{ release }, { release: second }]);
  });

  it('given again by an author are refused for other bytes, whoever else gave them', async () => {
    await logBy('lab', named('1.0.0'));
    await logBy('author', named('1.0.0'));
    const parts = ['--firmware', lane.file('other.txt', 'other'), '--key', 'author'];
    const again = await lane.run(['release', 'create', '--name', 'api', '--version', '1.0.0', ...parts]);
    expect(again).toMatchObject({ exit: 2, json: { error: { code: 'RELEASE_EXISTS' } } });
  });

  it('of a release that nobody counts for any more are not asked for its digest', async () => {
    await logBy('lab', named('3.0.0'));
    await lane.sealane(['revoke', other, '--reason', 'not ours']);
    expect((await lane.sealane(['channel', 'show', 'prod'])).revoked).toMatchObject([{ release: other }]);
  });
});

describe('statements about a release', () => {
  it('call it back for no exception, unless somebody says so who may', async () => {
    const wish = [
      'exception',
      'create',
      '--release',
      release,
      '--to',
      'prod',
      '--gate',
      'provenance',
      '--key',
      'alice',
      '--reason',
      'outage',
    ];
    const back = (key: string): Promise<number> => logBy(key, revocationStatement({ release, reason: 'fails', floor: null }));
    await back('lab');
    await lane.sealane(wish);
    await back('author');
    expect((await lane.run(wish)).json.error).toMatchObject({ code: 'EXCEPTION_DENIED', message: expect.stringContaining('not revoked') });
  });

  it('that cannot be read hide none beside them', async () => {
    const second = parseDigest(await lane.release('2.0.0'));
    const malformed = (about: Digest): Uint8Array =>
      utf8(
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          predicate: { components: 'none', name: 'api', version: '1.0.0' },
          predicateType: PREDICATE.release,
          subject: [{ digest: { sha256: about.slice('sha256:'.length) } }],
        }),
      );
    await logBy('author', malformed(release));
    await lane.sealane(['promote', release, '--to', 'dev']);
    expect(await lane.sealane(['release', 'show', release])).toMatchObject({ name: 'api', version: '1.0.0', components: [{}] });
    expect(second).not.toBe(release);
  });

  it('are not carried into another lane as the word of an author', async () => {
    const { components } = await lane.sealane(['release', 'show', release]);
    const parts = components.map(({ mediaType = 'application/octet-stream', ...part }) => ({ ...part, mediaType }));
    const other = releaseStatement(release, { name: 'api', version: '1.0.0', components: parts, salt: SALT });
    await logBy('lab', other);
    const folder = path.join(lane.dir, 'carried');
    await lane.sealane(['evidence', 'export', release, '--out', folder]);
    const there = await makeHome(RULES);
    try {
      const taken = await there.sealane(['evidence', 'import', folder]);
      expect(taken.left).toMatchObject([
        { digest: sha256(other), predicateType: PREDICATE.release, why: expect.stringContaining('other things') },
      ]);
      expect((await there.sealane(['evidence', 'list', release])).statements).toHaveLength(1);
    } finally {
      await there.stop();
    }
  });

  it('do not ride beside an exception under its nonce: a site would take none of them', async () => {
    const terms = {
      kind: 'stale',
      ...{ release, stage: 'prod', site: { name: 'shop-1', keyId: newKey().id }, uses: 1, reason: 'no link' },
      ...{ nonce: hex(new Uint8Array(16)), issuedAt: AT, expiresAt: '2026-11-25T10:00:00Z' },
    } as const;
    const own = exceptionStatement(terms);
    await logBy('lab', exceptionStatement({ ...terms, reason: 'me too' }));
    await logBy('alice', own);
    await lane.sealane(['publish', '--refresh']);
    const out = path.join(lane.dir, 'exception.json');
    expect(await lane.sealane(['exception', 'export', sha256(own), '--out', out])).toMatchObject({ signatures: 1 });
    const [{ dsseEnvelope }] = JSON.parse(readFileSync(out, 'utf8')) as [{ readonly dsseEnvelope: { readonly payload: string } }];
    expect(Buffer.from(dsseEnvelope.payload, 'base64').toString()).toBe(fromUtf8(own));
  });
});
