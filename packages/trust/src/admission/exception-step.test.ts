/** Exceptions at a site: what enough people signed for this very site, and every way in which that must not count. */
import { type JsonObject, sha256, utf8 } from '@sealane/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { admit } from '../admit.js';
import { type ExceptionPredicate, exceptionStatement } from '../evidence/predicates/exception.js';
import { AdmitLane, NOW, TIMES } from '../testing/admit-lane.js';
import type { PolicyExceptionRule } from '../policy/policy-types.js';
import { type LanePeople, saltOf } from '../testing/statement-lane.js';
import { testSigner } from '../testing/test-keys.js';
import { judgeSiteException } from './exception-step.js';

/** Ten days after all that online keys had signed was out of date. */
const LATER = '2026-12-30T12:00:00Z';

const RULES: readonly PolicyExceptionRule[] = [
  { kind: 'stale', people: ['alice', 'bob'], need: 2, maxDays: 60, maxUses: 1 },
  { kind: 'gate', people: ['alice'], need: 1, maxDays: 60, maxUses: 1 },
];

let lane: AdmitLane;

beforeAll(async () => {
  lane = await new AdmitLane(() => ({ exceptions: RULES })).passed();
});

type Signers = readonly (keyof LanePeople)[];

/** Signs an exception by each of these people, logs and seals it, and gives the bundles that are carried to the site. */
function granted(
  change: Partial<ExceptionPredicate> = {},
  signers: Signers = ['alice', 'bob'],
  sealed: string = TIMES.published,
): readonly JsonObject[] {
  const terms = { ...usualTerms(), ...change };
  return signed(
    signers.map((name) => [{ ...terms, reason: `${name}: the link is down` }, name]),
    sealed,
  );
}

function signed(
  list: readonly (readonly [ExceptionPredicate, keyof LanePeople])[],
  sealed: string = TIMES.published,
): readonly JsonObject[] {
  const digests = list.map(([terms, name]) => lane.sign(exceptionStatement(terms), lane.people[name]));
  lane.seal(sealed);
  return digests.map((digest) => lane.bundles.get(digest) ?? {});
}

const judge = (bundles: readonly JsonObject[], now = LATER): unknown => judgeSiteException(lane.input({ now }), bundles);
const invalid = expect.objectContaining({ code: 'EXCEPTION_INVALID' });

describe('an exception at a site', () => {
  test('counts with the signatures of enough people, and names them', () => {
    expect(judge(granted())).toMatchObject({ kind: 'stale', by: ['alice', 'bob'], statements: [expect.any(String), expect.any(String)] });
  });

  test.each<[string, Partial<ExceptionPredicate>]>([
    ['for another site', { site: { name: 'plant-8', keyId: '0'.repeat(64) } }],
    ['for the key that this site had before', { site: { name: 'plant-7', keyId: '0'.repeat(64) } }],
    ['for another stage', { stage: 'dev' }],
    ['of a kind that policy does not have', { kind: 'rollback' }],
    ['that holds longer than policy allows', { expiresAt: '2027-01-24T11:00:01Z' }],
    ['that says it is of a day to come', { issuedAt: '2027-01-01T00:00:00Z', expiresAt: '2027-02-01T00:00:00Z' }],
    ['that has expired', { expiresAt: LATER }],
  ])('is refused when it is one %s', (_, change) => {
    expect(() => judge(granted(change))).toThrow(invalid);
  });

  test('is refused when it is one for another site, though the key is of this one', () => {
    expect(() => judge(granted({ site: { name: 'plant-8', keyId: lane.siteKey.keyId } }))).toThrow(invalid);
  });

  test('counts with the signatures of more people than are needed', () => {
    expect(judge(granted({}, ['alice', 'bob', 'alice2']))).toMatchObject({ by: ['alice', 'bob'] });
    const other = granted({ nonce: saltOf(3) }, ['alice']);
    expect(() => judge([...granted({}, ['alice', 'bob']), ...other])).toThrow(invalid);
  });

  test.each<[string, Signers]>([
    ['one person where two are needed', ['alice']],
    ['one person with two keys', ['alice', 'alice2']],
    ['a key that is online', ['alice', 'prod']],
    ['somebody whom policy names for something else', ['alice', 'lab']],
    ['nobody', []],
  ])('is refused when it is signed by %s', (_, signers) => {
    expect(() => judge(granted({}, signers))).toThrow(invalid);
  });

  test('is refused when a stage key is also a person of policy: online keys grant nothing', async () => {
    const usual = lane;
    try {
      lane = await new AdmitLane((policy, { bob }) => ({
        exceptions: RULES,
        chain: policy.chain.map((link) => (link.stage === 'prod' ? { ...link, keys: [...link.keys, bob.keyId] } : link)),
      })).passed();
      expect(() => judge(granted())).toThrow(invalid);
    } finally {
      lane = usual;
    }
  });

  test('is refused when it is a gate of the promoter that was let through', () => {
    const { site: _site, ...terms } = usualTerms();
    expect(() => judge(signed([[{ ...terms, kind: 'gate', gate: 'tests' }, 'alice']]))).toThrow(invalid);
  });

  test('is refused when its signatures are under different terms, edited, not logged, or seen by witnesses only after it expired', () => {
    const [first, second] = [granted({ nonce: saltOf(1) }, ['alice']), granted({ nonce: saltOf(2) }, ['bob'])];
    expect(() => judge([...first, ...second])).toThrow(invalid);
    const text = JSON.stringify(granted());
    const payload = /"payload":"([^"]+)"/.exec(text)?.[1] ?? '';
    const edited = Buffer.from(Buffer.from(payload, 'base64').toString().replace('2027-01-10', '2027-01-20')).toString('base64');
    expect(() => judge(JSON.parse(text.replaceAll(payload, edited)) as JsonObject[])).toThrow(invalid);
    const unlogged = granted().map((bundle) => ({ ...bundle, verificationMaterial: withoutLog(bundle) }));
    expect(() => judge(unlogged)).toThrow(invalid);
    // where the site's own clock is behind, the time that witnesses gave says so
    const late = granted({ expiresAt: '2026-11-24T11:30:00Z' }, ['alice', 'bob'], '2026-11-24T11:30:00Z');
    for (const now of ['2026-11-24T11:29:59Z', NOW]) expect(() => judge(late, now)).toThrow(invalid);
  });

  test('is refused with a list too long, and with what is no bundle', () => {
    expect(() => judge([{}])).toThrow(invalid);
    expect(() => judge(Array.from({ length: 65 }, () => ({})))).toThrow(invalid);
  });

  test('is not judged at a site whose record is of another key', () => {
    const bundles = granted();
    const site = { ...lane.input().site, keyId: testSigner().keyId };
    expect(() => judgeSiteException(lane.input({ now: LATER, site }), bundles)).toThrow(expect.objectContaining({ code: 'SITE_MISMATCH' }));
  });
});

describe('stale trust', () => {
  test('is refused without an exception, and lets through exactly the release of one that counts', async () => {
    expect(admit(lane.input({ now: LATER }))).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
    const exceptions = [granted()];
    await lane.publish();
    const admission = admit(lane.input({ now: LATER, exceptions }));
    expect(admission).toMatchObject({ outcome: 'admitted', release: lane.release, exception: { by: ['alice', 'bob'] } });
    expect(admission.checks.find(({ id }) => id === 'stale')).toMatchObject({ verdict: 'pass' });
  });

  test('stays refused when the exception does not count, and leaves the trust state as it was', async () => {
    const exceptions = [granted({}, ['alice']), granted({ release: lane.waybillDigest ?? lane.release })];
    await lane.publish();
    const input = lane.input({ now: LATER, exceptions });
    const admission = admit(input);
    expect(admission).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED', exception: null });
    expect(admission.next.trust).toEqual(input.trust);
  });

  test('stays refused when what was let through is the release of another group', async () => {
    const release = sha256(utf8('release of the canaries'));
    const exceptions = [granted({ release })];
    const { groups } = lane.channel();
    const others = groups.map((group) => ({ ...group, name: 'canary', match: { ring: 'canary' }, release }));
    await lane.publish({ channel: { groups: [...groups, ...others] } });
    expect(admit(lane.input({ now: LATER, exceptions }))).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
  });

  test('is lifted by no exception of another kind, though policy allows that kind', async () => {
    const usual = lane;
    try {
      const back: PolicyExceptionRule = { kind: 'rollback', people: ['alice', 'bob'], need: 2, maxDays: 60, maxUses: 1 };
      lane = await new AdmitLane(() => ({ exceptions: [...RULES, back] })).passed();
      const exceptions = [granted({ kind: 'rollback' })];
      expect(judge(exceptions[0] ?? [])).toMatchObject({ kind: 'rollback' });
      await lane.publish();
      expect(admit(lane.input({ now: LATER, exceptions }))).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
    } finally {
      lane = usual;
    }
  });

  test('what the owners sign is never lifted', async () => {
    const exceptions = [granted({ issuedAt: '2026-11-24T11:00:00Z', expiresAt: '2027-01-10T11:00:00Z' })];
    await lane.publish();
    expect(admit(lane.input({ now: '2036-01-01T00:00:00Z', exceptions }))).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
  });

  test('where trust is fresh nothing is lifted, and nothing used', async () => {
    const exceptions = [granted()];
    await lane.publish();
    expect(admit(lane.input({ exceptions }))).toMatchObject({ outcome: 'admitted', exception: null });
  });
});

function usualTerms(): ExceptionPredicate {
  return {
    kind: 'stale',
    release: lane.release,
    stage: 'prod',
    site: { name: 'plant-7', keyId: lane.siteKey.keyId },
    uses: 1,
    reason: 'the link is down',
    nonce: saltOf(7),
    issuedAt: TIMES.published,
    expiresAt: '2027-01-10T11:00:00Z',
  };
}

function withoutLog(bundle: JsonObject): JsonObject {
  const { tlogEntries: _entries, ...rest } = bundle['verificationMaterial'] as JsonObject;
  return { ...rest, tlogEntries: [] };
}
