import { canonicalJson, fromUtf8, sha256, TrustError, utf8 } from '@sealane/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeTufLane, testSigner, type TufLane } from '../../../../test/support/tuf-lane.js';
import { readTarget, refreshTrust, type TufRead } from './client.js';
import { describeTarget, publishedTargetPath, stageMetadata, tufExpiryAt } from './publisher.js';
import { describeRole, publishedMetadataPath } from './published-role.js';
import { trustFromRoot } from './root-chain.js';
import { addSignature, signatureOf, signMetadata } from './signing.js';
import type { TufState } from './state.js';
import { tufKeyId, tufKeyOfSpki } from './tuf-key.js';
import type { TrustedMetadata } from './workflow.js';

const DAY_0 = '2026-03-01T00:00:00Z';
const DAY_10 = '2026-03-11T00:00:00Z';
const DAY_40 = '2026-04-10T00:00:00Z';

let lane: TufLane;
let shipped: TufState;
let read: TufRead;

beforeEach(async () => {
  lane = await makeTufLane(DAY_0);
  shipped = trustFromRoot(fileOf('metadata/1.root.json'));
  read = (name) => lane.files.get(name);
});

function fileOf(name: string): Uint8Array {
  const bytes = lane.files.get(name);
  if (bytes === undefined) throw new Error(`no ${name}`);
  return bytes;
}

const refresh = (
  state = shipped,
  options: { now?: string; expiry?: 'network' | 'medium'; rules?: 'lane' | 'plain' } = {},
): TrustedMetadata => refreshTrust({ state, read, now: DAY_0, expiry: 'network', ...options });

const channel = (trusted: TrustedMetadata, stage = 'prod'): string =>
  fromUtf8(readTarget({ trusted, read, path: `channel/${stage}.json`, role: stage }).bytes);

function refusal(act: () => unknown): TrustError {
  try {
    act();
  } catch (error) {
    if (error instanceof TrustError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

/** The lane's timestamp with this version, properly signed. */
async function forgeTimestamp(version: number, signer = lane.keys.timestamp): Promise<void> {
  const text = fromUtf8(fileOf('metadata/timestamp.json'));
  const { signed } = JSON.parse(text);
  lane.files.set(
    'metadata/timestamp.json',
    await signMetadata(canonicalJson({ signatures: [], signed: { ...signed, version } }), [signer]),
  );
}

describe('refreshing from a lane', () => {
  it('takes what the publisher wrote, and reads the channel through the delegation', () => {
    const trusted = refresh();
    expect(trusted.state.versions).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1, roles: { dev: 1, prod: 1 } });
    expect(JSON.parse(channel(trusted))).toEqual({ stage: 'prod', content: 'one' });
    expect(trusted.expiresAt).toBe('2026-03-08T00:00:00Z');
    expect(trusted.root.extra).toEqual({ 'x-sealane-example': true });
  });

  it('gives the earlier expiry of the refresh and the stage with a target', () => {
    const trusted = refresh(shipped, { expiry: 'medium' });
    expect(trusted.expiresAt).toBe('2026-08-28T00:00:00Z');
    expect(readTarget({ trusted, read, path: 'channel/prod.json' })).toMatchObject({
      role: 'prod',
      version: 1,
      expiresAt: '2026-03-31T00:00:00Z',
    });
    expect(readTarget({ trusted, read, path: 'policy/prod.json' })).toMatchObject({ role: 'targets', expiresAt: '2026-08-28T00:00:00Z' });
  });

  it('follows a chain of rotated root keys to the newest root', async () => {
    lane.keys.root = [testSigner(), testSigner(), testSigner()];
    await lane.publishRoot();
    lane.keys.root = [testSigner(), ...lane.keys.root.slice(0, 2)];
    await lane.publishRoot();
    expect(refresh().state.versions.root).toBe(3);
  });

  it('goes on with the trusted root when no newer one is there', () => {
    const { state } = refresh();
    expect(refresh(state).state).toEqual(state);
  });

  it('takes the new key of a stage with the targets that name it', async () => {
    const { state } = refresh();
    lane.keys.stages['prod'] = testSigner();
    await lane.publish('two');
    expect(channel(refresh(state))).toContain('two');
  });

  it.each([
    ['timestamp.json', 'TRUST_MALFORMED'],
    ['1.snapshot.json', 'TRUST_MISMATCH'],
    ['1.targets.json', 'TRUST_MISMATCH'],
  ])('refuses a lane that withholds %s', (name, code) => {
    lane.files.delete(`metadata/${name}`);
    expect(refusal(() => refresh())).toMatchObject({ code, data: { state: shipped } });
  });

  it.each(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'])('refuses an endless %s', (name) => {
    lane.files.set(`metadata/${name}`, utf8(' '.repeat(2_000_000)));
    expect(['TRUST_TOO_LARGE', 'TRUST_MISMATCH']).toContain(refusal(() => refresh()).code);
  });

  it('lets an error of the reader through as it is', () => {
    const broken = (): never => {
      throw new Error('disk on fire');
    };
    expect(() => refreshTrust({ state: shipped, read: broken, now: DAY_0, expiry: 'network' })).toThrow('disk on fire');
  });

  it('keeps proven roots when a later document is refused, and nothing else', async () => {
    lane.keys.root = [testSigner(), testSigner(), testSigner()];
    await lane.publishRoot();
    lane.files.delete('metadata/timestamp.json');
    const { state } = refusal(() => refresh()).data as { state: TufState };
    expect(state.versions).toEqual({ root: 2, timestamp: 0, snapshot: 0, targets: 0, roles: {} });
    expect(shipped.versions.root).toBe(1);
  });

  it('keeps the roots proven before a forged one', async () => {
    await lane.publishRoot();
    lane.keys.root = [testSigner(), testSigner(), testSigner()];
    const forged = await makeTufLane(DAY_0);
    lane.files.set('metadata/3.root.json', forged.files.get('metadata/1.root.json') ?? new Uint8Array());
    const error = refusal(() => refresh());
    expect(error).toMatchObject({ code: 'TRUST_THRESHOLD', data: { state: { versions: { root: 2 } } } });
  });
});

describe('version floors', () => {
  it('refuse an older timestamp also when every cache was wiped', async () => {
    await lane.publish('two');
    const { state } = refresh();
    expect(state.versions.timestamp).toBe(2);
    await forgeTimestamp(1);
    expect(refusal(() => refresh(state)).code).toBe('TRUST_ROLLBACK');
  });

  it('stay after a root that replaces other keys', async () => {
    await lane.publish('two');
    const { state } = refresh();
    lane.keys.root = [testSigner(), testSigner(), testSigner()];
    await lane.publishRoot();
    await forgeTimestamp(1);
    expect(refusal(() => refresh(state)).code).toBe('TRUST_ROLLBACK');
  });

  it('fall for the timestamp when root replaces its key: recovery from fast-forward', async () => {
    await forgeTimestamp(Number.MAX_SAFE_INTEGER);
    const { state } = refresh();
    lane.keys.timestamp = testSigner();
    await lane.publishRoot();
    await lane.refresh();
    const after = refresh(state).state.versions;
    expect(after).toMatchObject({ timestamp: 2, snapshot: 2 });
  });

  it('fall in a refresh that refuses, too, so that the next one can recover', async () => {
    await forgeTimestamp(Number.MAX_SAFE_INTEGER);
    const { state } = refresh();
    lane.keys.timestamp = testSigner();
    await lane.publishRoot();
    lane.files.delete('metadata/timestamp.json');
    const kept = refusal(() => refresh(state)).data['state'] as TufState;
    expect(kept.versions).toMatchObject({ root: 2, timestamp: 0, snapshot: 1, targets: 1 });
    await lane.refresh();
    expect(refresh(kept).state.versions.timestamp).toBe(2);
  });

  it('of the snapshot stay when only the timestamp key is replaced', async () => {
    await lane.publish('two');
    const { state } = refresh();
    lane.keys.timestamp = testSigner();
    await lane.publishRoot();
    Object.assign(lane.versions, { snapshot: 0, timestamp: 2 });
    await lane.refresh();
    expect(refusal(() => refresh(state)).code).toBe('TRUST_ROLLBACK');
    // plain TUF forgets both files then, to the letter of 5.3.11
    expect(refresh(state, { rules: 'plain' }).state.versions.snapshot).toBe(1);
  });

  it('fall for the snapshot and the stages it lists when root replaces its key', async () => {
    await lane.publish('two');
    const { state } = refresh();
    lane.keys.snapshot = testSigner();
    await lane.publishRoot();
    Object.assign(lane.versions, { snapshot: 0, prod: 0, dev: 0 });
    await lane.publish('again');
    expect(refresh(state).state.versions).toMatchObject({ snapshot: 1, targets: 3, roles: { prod: 1, dev: 1 } });
  });

  it('of targets stay when the snapshot key is replaced: who has the new one brings no older policy', async () => {
    await lane.publish('two');
    const { state } = refresh();
    lane.keys.snapshot = testSigner();
    await lane.publishRoot();
    Object.assign(lane.versions, { snapshot: 0, targets: 1 });
    await lane.refresh();
    expect(refusal(() => refresh(state)).code).toBe('TRUST_ROLLBACK');
    // to the letter they fall with the snapshot that lists targets (TUF 5.3.11)
    expect(refresh(state, { rules: 'plain' }).state.versions.targets).toBe(1);
    // a state of before, which says nothing of signers, was kept only once targets were verified too
    const { signed: _signers, ...old } = state;
    expect(refusal(() => refresh(old)).code).toBe('TRUST_ROLLBACK');
  });

  it('come back with a key that is put back', async () => {
    await lane.publish('two');
    const first = lane.keys.timestamp;
    const { state } = refresh();
    lane.keys.timestamp = testSigner();
    await lane.publishRoot();
    await lane.refresh();
    const seen = refresh(state).state;
    lane.keys.timestamp = first;
    await lane.publishRoot();
    await forgeTimestamp(1);
    expect(refusal(() => refresh(seen)).code).toBe('TRUST_ROLLBACK');
    await forgeTimestamp(2);
    expect(refresh(seen).state.versions.timestamp).toBe(2);
  });
});

describe('expiry', () => {
  it('of the timestamp refuses over a network', () => {
    expect(refusal(() => refresh(shipped, { now: DAY_10 })).code).toBe('TRUST_EXPIRED');
  });

  it('of timestamp and snapshot is waived for an imported medium', () => {
    const trusted = refresh(shipped, { now: DAY_10, expiry: 'medium' });
    expect(trusted.expiryWaived).toBe(true);
    expect(trusted.state.importedTimestamps).toEqual([sha256(fileOf('metadata/timestamp.json'))]);
    expect(channel(trusted)).toContain('prod');
  });

  it('is waived later over the network for that very timestamp, not for another', async () => {
    const { state } = refresh(shipped, { now: DAY_10, expiry: 'medium' });
    expect(refresh(state, { now: DAY_10 }).expiryWaived).toBe(true);
    await lane.refresh();
    expect(refusal(() => refresh(state, { now: DAY_10 })).code).toBe('TRUST_EXPIRED');
  });

  it('of the stage judges an imported medium', () => {
    const trusted = refresh(shipped, { now: DAY_40, expiry: 'medium' });
    const error = refusal(() => channel(trusted));
    expect(error).toMatchObject({ code: 'TRUST_EXPIRED', data: { state: shipped } });
  });

  it.each([
    ['targets', '2026-09-01T00:00:00Z'],
    ['root', '2027-03-02T00:00:00Z'],
  ])('of %s is never waived', (_role, now) => {
    expect(refusal(() => refresh(shipped, { now, expiry: 'medium' })).code).toBe('TRUST_EXPIRED');
  });

  it('forgets imported timestamps once a newer one came over the network', async () => {
    const { state } = refresh(shipped, { now: DAY_10, expiry: 'medium' });
    lane.now = DAY_10;
    await lane.refresh();
    expect(refresh(state, { now: DAY_10 }).state.importedTimestamps).toEqual([]);
  });

  it('remembers only a few timestamps of one version', async () => {
    let state = shipped;
    for (let count = 0; count < 12; count += 1) {
      await forgeTimestamp(1);
      state = refresh(state, { expiry: 'medium' }).state;
    }
    expect(state.importedTimestamps).toHaveLength(8);
  });
});

describe('reading targets', () => {
  it('refuses a role that lists paths outside its delegation; plain TUF passes over them', async () => {
    const evil = utf8('{"stage":"prod","content":"evil"}');
    const unsigned = stageMetadata({ stage: 'prod', version: 2, expiresAt: tufExpiryAt('stage', DAY_0), channel: evil });
    const document = JSON.parse(fromUtf8(unsigned));
    document.signed.targets['policy/dev.json'] = document.signed.targets['channel/prod.json'];
    await publishProd(await signMetadata(canonicalJson(document), [lane.keys.stages['prod']!]), evil);
    expect(refusal(() => channel(refresh())).code).toBe('TRUST_WRONG_ROLE');
    expect(channel(refresh(shipped, { rules: 'plain' }))).toContain('evil');
  });

  it('refuses a path that no role with authority lists, and another role than the one asked for', () => {
    const trusted = refresh();
    expect(refusal(() => readTarget({ trusted, read, path: 'policy/none.json' })).code).toBe('TRUST_WRONG_ROLE');
    expect(refusal(() => readTarget({ trusted, read, path: 'channel/none.json' })).code).toBe('TRUST_WRONG_ROLE');
    expect(refusal(() => readTarget({ trusted, read, path: 'channel/prod.json', role: 'dev' })).code).toBe('TRUST_WRONG_ROLE');
  });

  it('refuses a stage whose file another stage signed', async () => {
    const bytes = utf8('{}');
    const unsigned = stageMetadata({ stage: 'prod', version: 2, expiresAt: tufExpiryAt('stage', DAY_0), channel: bytes });
    await publishProd(await signMetadata(unsigned, [lane.keys.stages['dev']!]), bytes);
    expect(refusal(() => channel(refresh())).code).toBe('TRUST_THRESHOLD');
  });

  it('refuses other bytes, missing bytes and more bytes than the caller takes', () => {
    const trusted = refresh();
    const name = publishedTargetPath(describeTarget('channel/prod.json', utf8(channel(trusted))));
    expect(refusal(() => readTarget({ trusted, read, path: 'channel/prod.json', maxBytes: 8 })).code).toBe('TRUST_TOO_LARGE');
    lane.files.set(name, utf8(channel(trusted).replace('one', 'two')));
    expect(refusal(() => channel(trusted)).code).toBe('TRUST_MISMATCH');
    lane.files.delete(name);
    expect(refusal(() => channel(trusted)).code).toBe('TRUST_MISMATCH');
  });

  /** Publishes this file as prod's role at version 2, with a fresh snapshot and timestamp. */
  async function publishProd(bytes: Uint8Array, content: Uint8Array): Promise<void> {
    lane.versions['prod'] = 2;
    lane.files.set(publishedMetadataPath('prod', 2), bytes);
    lane.files.set(publishedTargetPath(describeTarget('channel/prod.json', content)), content);
    expect(describeRole('prod', bytes).version).toBe(2);
    await lane.refresh();
  }
});

describe('signatures', () => {
  it('count once when one public key signs under two ids, each the hash of its own key object', async () => {
    const owner = lane.keys.targets[0]!;
    const plain = tufKeyOfSpki(owner.spki);
    const dressed = { ...plain.json, note: 'the same key again' };
    const keyids = [plain.id, tufKeyId(dressed)];
    const { signed } = JSON.parse(fromUtf8(fileOf('metadata/1.root.json')));
    Object.assign(signed.keys, { [tufKeyId(dressed)]: dressed });
    signed.roles.targets = { keyids, threshold: 2 };
    const root = await signMetadata(canonicalJson({ signatures: [], signed }), lane.keys.root);
    const targets = canonicalJson({ ...JSON.parse(fromUtf8(fileOf('metadata/1.targets.json'))), signatures: [] });
    const { signature } = await signatureOf(targets, owner);
    lane.files.set(
      'metadata/1.targets.json',
      keyids.reduce((bytes, keyId) => addSignature(bytes, { keyId, signature }), targets),
    );
    await lane.refresh();
    expect(refusal(() => refresh(trustFromRoot(root))).code).toBe('TRUST_THRESHOLD');
  });

  it('of a shipped root are checked before anything is read', () => {
    const root = JSON.parse(fromUtf8(fileOf('metadata/1.root.json')));
    root.signatures.pop();
    expect(refusal(() => trustFromRoot(canonicalJson(root))).code).toBe('TRUST_THRESHOLD');
  });
});
