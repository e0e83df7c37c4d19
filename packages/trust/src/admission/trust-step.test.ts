/** THREATS.md: what TUF 1.5.2 and Uptane name, at a site's door; and the lane's own rules about stages, policies and example keys. */
import { readFileSync } from 'node:fs';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { canonicalJson, type JsonObject, keyIdOf, utf8 } from '@sealane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeTarget, EXAMPLE_MARK } from '../tuf/publisher.js';
import { AdmitLane, NOW, TIMES } from '../testing/admit-lane.js';
import { expectAdmitted, expectRefused } from '../../../../test/support/admit-verdicts.js';
import { type TestSigner, testSigner } from '../testing/test-keys.js';

let lane: AdmitLane;
beforeAll(async () => {
  lane = await new AdmitLane().passed();
});

/** The lane with one file of `trust/` replaced, or taken away. */
function withFile(name: string, bytes: Uint8Array | undefined): ReadonlyMap<string, Uint8Array> {
  const files = lane.files();
  if (bytes === undefined) files.delete(`trust/${name}`);
  else files.set(`trust/${name}`, bytes);
  return files;
}

describe('signatures', () => {
  it.each(['targets', 'snapshot', 'timestamp', 'prod'] as const)('refuses %s by keys that nobody named', async (role) => {
    const forged = await new AdmitLane().passed();
    const { trust } = forged;
    if (role === 'targets') trust.targets = [testSigner(), testSigner()];
    else if (role === 'prod') trust.stages = { ...trust.stages, prod: testSigner() };
    else trust[role] = testSigner();
    // the owners' targets still name the stage's true key
    const keepsName =
      role === 'prod' ? { forge: { targets: (signed: JsonObject) => ({ ...signed, delegations: delegationsOf(forged) }) } } : {};
    await forged.publish(keepsName);
    expectRefused(forged, 'TRUST_THRESHOLD');
  });

  it('refuses targets that one owner signed where two must', async () => {
    const forged = await new AdmitLane().passed();
    forged.trust.targets = forged.trust.targets.slice(0, 1).concat(testSigner());
    await forged.publish();
    expectRefused(forged, 'TRUST_THRESHOLD');
  });

  it("refuses dev's metadata in the place of prod's, though snapshot and timestamp vouch for it", async () => {
    const forged = await new AdmitLane().passed();
    forged.trust.stages = { ...forged.trust.stages, prod: forged.people.dev };
    await forged.publish({ forge: { targets: (signed) => ({ ...signed, delegations: delegationsOf(forged) }) } });
    expectRefused(forged, 'TRUST_THRESHOLD');
  });

  it('keeps a root that was proven before what came after it was refused, and nothing else', async () => {
    const forged = await new AdmitLane().passed();
    await forged.trust.publishRoot(TIMES.published);
    forged.trust.timestamp = testSigner();
    await forged.publish();
    const input = forged.input();
    const { admit } = await import('../admit.js');
    const { outcome, reason, next } = admit(input);
    expect([outcome, reason, next.trust.versions.root]).toEqual(['refused', 'TRUST_THRESHOLD', 2]);
    expect({ ...next.trust.versions, root: 1 }).toEqual(input.trust.versions);
    expect({ ...next, trust: null }).toEqual({
      trust: null,
      seenCheckpoint: null,
      timeFloor: null,
      revoked: input.siteState.revoked,
      floor: input.siteState.floor,
      bars: null,
    });
  });
});

/** The delegations as the owners meant them. */
function delegationsOf(from: AdmitLane): JsonObject {
  const first = from.trust.files.get('metadata/1.targets.json') ?? new Uint8Array();
  return (JSON.parse(Buffer.from(first).toString()) as { signed: { delegations: JsonObject } }).signed.delegations;
}

describe('age', () => {
  it('refuses an older lane than the one seen before', async () => {
    const twice = await new AdmitLane().passed();
    const old = twice.files();
    await twice.publish();
    const seen = expectAdmitted(twice);
    expectRefused(twice, 'TRUST_ROLLBACK', { files: old, trust: seen.next.trust });
  });

  it('refuses metadata past its expiry: the timestamp over a network', () => {
    expectRefused(lane, 'TRUST_EXPIRED', { now: '2026-12-01T11:00:00Z' });
    expectAdmitted(lane, { now: '2026-12-01T10:59:59Z' });
  });

  it("takes an imported medium until the stage's own expiry, and refuses it after", () => {
    const answer = expectAdmitted(lane, { now: '2026-12-20T00:00:00Z', freshness: 'medium' });
    expect(answer.expiresAt).toBe('2026-12-24T11:00:00Z');
    expectRefused(lane, 'TRUST_EXPIRED', { now: '2026-12-24T11:00:00Z', freshness: 'medium' });
  });

  it('goes on taking what was once imported when it is read over a network path later', () => {
    const { next } = expectAdmitted(lane, { now: '2026-12-20T00:00:00Z', freshness: 'medium' });
    expectAdmitted(lane, { now: '2026-12-21T00:00:00Z', freshness: 'network', trust: next.trust });
  });
});

describe('documents that disagree', () => {
  it.each([
    ['snapshot', '1.snapshot.json'],
    ['targets', '1.targets.json'],
    ['the stage', '1.prod.json'],
  ])('refuses other bytes of %s than listed, and none', (_, name) => {
    const bytes = lane.trust.files.get(`metadata/${name}`) ?? new Uint8Array();
    const bent = bytes.map((byte, at) => (at === bytes.length - 1 ? 0x20 : byte));
    expectRefused(lane, 'TRUST_MISMATCH', { files: withFile(`metadata/${name}`, bent) });
    expectRefused(lane, 'TRUST_MISMATCH', { files: withFile(`metadata/${name}`, bytes.subarray(1)) });
    expectRefused(lane, 'TRUST_MISMATCH', { files: withFile(`metadata/${name}`, Buffer.concat([bytes, bytes])) });
    expectRefused(lane, 'TRUST_MISMATCH', { files: withFile(`metadata/${name}`, undefined) });
  });

  it('refuses a trusted root that does not say what the policy says', async () => {
    const forged = await new AdmitLane().passed();
    await forged.publish({
      targets: {
        'trusted_root.json': canonicalJson({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', tlogs: [] }),
      },
    });
    expectRefused(forged, 'TRUST_MISMATCH');
  });

  it('refuses a channel of another lane', async () => {
    const forged = await new AdmitLane().passed();
    await forged.publish({ channel: { lane: 'other.example' } });
    expectRefused(forged, 'TRUST_MISMATCH');
  });
});

describe('roles', () => {
  it("refuses a stage's key that also speaks for another stage's channel", async () => {
    const forged = await new AdmitLane().passed();
    await forged.publish({
      forge: {
        prod: (signed) => ({
          ...signed,
          targets: { ...(signed.targets as JsonObject), 'channel/dev.json': { length: 2, hashes: { sha256: 'a'.repeat(64) } } },
        }),
      },
    });
    expectRefused(forged, 'TRUST_WRONG_ROLE');
  });

  it("refuses dev's channel offered as prod's by prod's own key", async () => {
    const forged = await new AdmitLane().passed();
    await forged.publish({ channel: { stage: 'dev' } });
    expectRefused(forged, 'TRUST_WRONG_ROLE');
  });

  it("refuses dev's policy in the place of prod's", async () => {
    const forged = await new AdmitLane().passed();
    const { policy } = forged;
    const dev = canonicalJson({ ...policy, stage: 'dev', chain: policy.chain.slice(0, 1) });
    await forged.publish({ targets: { 'policy/prod.json': dev } });
    expectRefused(forged, 'TRUST_WRONG_ROLE');
  });

  it('refuses a channel that the owners listed themselves: what is current is for the stage to say', async () => {
    const forged = await new AdmitLane().passed();
    await forged.publish({ targets: { 'channel/prod.json': utf8('{}') } });
    expectRefused(forged, 'TRUST_WRONG_ROLE');
  });

  it('refuses a lane that says nothing of the stage of this site', () => {
    const { site } = lane.input();
    expectRefused(lane, 'TRUST_WRONG_ROLE', { site: { ...site, localStage: 'factory' } });
  });
});

describe('malformed documents', () => {
  it.each([
    ['no JSON', utf8('{')],
    ['another spelling of its JSON', utf8(' {}')],
    ['a key twice', utf8('{"a":1,"a":1}')],
    ['another shape', utf8('{}')],
  ])('refuses a policy that is %s', async (_, bytes) => {
    const forged = await new AdmitLane().passed();
    await forged.publish({ targets: { 'policy/prod.json': bytes } });
    expectRefused(forged, 'TRUST_MALFORMED');
  });

  it('refuses a timestamp that is cut, and one that is not there', () => {
    const bytes = lane.trust.files.get('metadata/timestamp.json') ?? new Uint8Array();
    expectRefused(lane, 'TRUST_MALFORMED', { files: withFile('metadata/timestamp.json', bytes.subarray(0, 100)) });
    expectRefused(lane, 'TRUST_MALFORMED', { files: withFile('metadata/timestamp.json', undefined) });
  });

  it.each(['metadata/timestamp.json', 'metadata/1.snapshot.json', 'metadata/2.root.json'])('refuses an endless %s', (name) => {
    expectRefused(lane, 'TRUST_TOO_LARGE', { files: withFile(name, new Uint8Array(2_000_000)) });
  });

  it('refuses a policy that is listed as larger than any may be', async () => {
    const forged = await new AdmitLane().passed();
    const { path, sha256Hex } = describeTarget('policy/prod.json', utf8('x'));
    const endless = { [path]: { length: 1_000_000_000, hashes: { sha256: sha256Hex } } };
    await forged.publish({ forge: { targets: (signed) => ({ ...signed, targets: { ...(signed.targets as JsonObject), ...endless } }) } });
    expectRefused(forged, 'TRUST_TOO_LARGE');
  });
});

describe('example keys', () => {
  const marks = { [EXAMPLE_MARK]: true };

  it('refuses a lane that is made of them, unless the site says it may be', async () => {
    const example = new AdmitLane();
    await example.publish({ marks });
    await example.passed();
    expectRefused(example, 'TRUST_EXAMPLE_KEYS');
    const { site } = example.input();
    expectAdmitted(example, { site: { ...site, allowExampleKeys: true } });
  });

  it.each([true, false])('refuses one of them in a lane that is not marked, whatever the site allows (%s)', async (allowExampleKeys) => {
    const hidden = new AdmitLane();
    hidden.policy = { ...hidden.policy, keys: { ...hidden.policy.keys, ...policyKey(exampleKey('bob')) } };
    await hidden.passed();
    const { site } = hidden.input();
    expectRefused(hidden, 'TRUST_EXAMPLE_KEYS', { site: { ...site, allowExampleKeys } });
  });

  it('refuses one of them as the key of a stage', async () => {
    const hidden = await new AdmitLane().passed();
    hidden.trust.stages = { ...hidden.trust.stages, prod: exampleKey('prod') };
    await hidden.publish();
    expectRefused(hidden, 'TRUST_EXAMPLE_KEYS');
  });

  it('refuses one of them among the owners', async () => {
    const hidden = new AdmitLane();
    hidden.trust.root = [...hidden.trust.root.slice(0, 2), exampleKey('root-1')];
    await hidden.passed();
    expectRefused(hidden, 'TRUST_EXAMPLE_KEYS');
  });
});

function exampleKey(name: string): TestSigner {
  const privateKey = createPrivateKey(readFileSync(new URL(`../../../../keys-example/${name}.pem`, import.meta.url)));
  const spki = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  const signNow = (data: Uint8Array): Uint8Array => new Uint8Array(sign('sha256', data, privateKey));
  return { keyId: keyIdOf(spki), spki, privateKey, pem: '', signNow, sign: (data) => Promise.resolve(signNow(data)) };
}

function policyKey({ keyId, spki }: TestSigner): AdmitLane['policy']['keys'] {
  return { [keyId]: { spki: Buffer.from(spki).toString('base64'), origin: lane.log.origin, fromIndex: 0, untilIndex: null, reason: null } };
}

it('says until when the answer holds for new installs, by the earliest expiry that was judged', () => {
  const answer = expectAdmitted(lane, { now: NOW });
  expect([answer.expiresAt, answer.rootExpiresAt]).toEqual(['2026-12-01T11:00:00Z', '2027-11-24T11:00:00Z']);
});
