import { canonicalJson, formatVkey, type JsonObject, LIMITS, makeVkey, NOTE_KEY_TYPE, parseVkey, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { testLog, testWitness } from '../testing/test-log.js';
import { type TestPeople, testPeople, testPolicy } from '../testing/test-policy.js';
import { codeOf } from '../testing/code-of.js';
import { testSigner } from '../testing/test-keys.js';
import type { Policy } from './policy-types.js';
import { encodePolicy, parsePolicy } from './policy.js';

let people: TestPeople;
let policy: Policy;

beforeAll(() => {
  people = testPeople();
  policy = testPolicy(testLog('lane.example', [testWitness('w1.example')]), people);
});

/** The policy of a lane whose log had another key up to 3 entries. */
function withPast(vkey: string): Policy {
  return { ...policy, logs: [{ ...policy.logs[0]!, past: [{ vkey, belowSize: 3, endedAt: '2026-11-24T10:00:00Z' }] }] };
}

/** A log's key as one that cosigns, under a name of its own. */
function asWitness(logVkey: string): string {
  return formatVkey(makeVkey('w1.example', NOTE_KEY_TYPE.cosignature, parseVkey(logVkey).publicKey));
}

test('reads back exactly what it wrote', () => {
  const replaced = withPast(testLog('lane.example', []).vkey);
  expect(parsePolicy(encodePolicy(replaced))).toEqual(replaced);
  const bytes = encodePolicy(policy);
  expect(parsePolicy(bytes)).toEqual(policy);
  expect(encodePolicy(parsePolicy(bytes))).toEqual(bytes);
});

describe('refuses as TRUST_MALFORMED', () => {
  const broken: Readonly<Record<string, () => JsonObject>> = {
    'another apiVersion': () => ({ ...policy, apiVersion: 'sealane/v2' }),
    'an unknown field': () => ({ ...policy, extra: 1 }),
    "a registrar's key in a scope": () => ({
      ...policy,
      scopes: [{ team: 'radio', releases: ['api'], classes: {}, signers: [policy.registrar[0] ?? ''], people: [], repositories: [] }],
    }),
    'a missing field': () => ({ ...policy, quorum: undefined }),
    'a stage named like a TUF role': () => ({
      ...policy,
      stage: 'targets',
      chain: [{ stage: 'targets', from: [], keys: [people.prod.keyId] }],
    }),
    'a chain that ends elsewhere': () => ({ ...policy, chain: policy.chain.slice(0, 2) }),
    'a chain out of order': () => ({ ...policy, chain: [...policy.chain].reverse() }),
    'a stage twice in the chain': () => ({ ...policy, chain: [...policy.chain.slice(0, 1), ...policy.chain] }),
    'a key id that is not its key': () => ({ ...policy, keys: { ...policy.keys, [testSigner().keyId]: policy.keys[people.prod.keyId] } }),
    'a signer without a key': () => ({ ...policy, signers: { ...policy.signers, tests: [testSigner().keyId] } }),
    'a window upside down': () => ({
      ...policy,
      keys: { ...policy.keys, [people.lab.keyId]: { ...policy.keys[people.lab.keyId]!, fromIndex: 9, untilIndex: 3 } },
    }),
    'one key for two people': () => ({ ...policy, people: [...policy.people, { id: 'eve', keys: [people.alice.keyId] }] }),
    'one person twice': () => ({ ...policy, people: [...policy.people, { id: 'alice', keys: [people.lab.keyId] }] }),
    'a quorum that cannot be reached': () => ({ ...policy, quorum: 2 }),
    'a witness twice': () => ({ ...policy, quorum: 2, witnesses: [...policy.witnesses, ...policy.witnesses] }),
    'a log that is its own witness': () => ({ ...policy, witnesses: [asWitness(policy.logs[0]!.vkey)] }),
    'a log key as witness': () => ({ ...policy, witnesses: [policy.logs[0]!.vkey] }),
    'a log whose key of today is one of before': () => withPast(policy.logs[0]!.vkey),
    'a log whose key of before has another name': () => withPast(testLog('other.example', []).vkey),
    'a witness as a key of before of a log': () => withPast(policy.witnesses[0]!),
    'a log at another host than its origin': () => ({ ...policy, logs: [{ ...policy.logs[0]!, baseUrl: 'https://other.example' }] }),
    'a lane whose log is not listed': () => ({ ...policy, lane: 'other.example' }),
    'a group twice': () => ({ ...policy, groups: [...policy.groups, ...policy.groups] }),
    'no group': () => ({ ...policy, groups: [] }),
    'a date that does not exist': () => ({
      ...policy,
      hardware: {
        ...policy.hardware,
        equivalences: [
          { classes: [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`], owner: 'alice', expiresAt: '2026-02-30T00:00:00Z' },
        ],
      },
    }),
  };
  test.each(Object.keys(broken))('%s', (name) => {
    const bytes = canonicalJson(broken[name]!());
    expect(codeOf(() => parsePolicy(bytes))).toBe('TRUST_MALFORMED');
  });

  test('bytes that are not canonical', () => {
    expect(codeOf(() => parsePolicy(utf8(JSON.stringify(policy, null, 1))))).toBe('TRUST_MALFORMED');
    expect(codeOf(() => parsePolicy(utf8(`${new TextDecoder().decode(encodePolicy(policy))}\n`)))).toBe('TRUST_MALFORMED');
  });
});

test('refuses a policy beyond its bound before it reads it', () => {
  expect(codeOf(() => parsePolicy(new Uint8Array(LIMITS.policyBytes + 1)))).toBe('TRUST_TOO_LARGE');
});

test('never crashes on arbitrary bytes or on a changed byte', () => {
  const good = encodePolicy(policy);
  const changed = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255))
    .map(([at, byte]) => good.map((value, index) => (index === at ? byte : value)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => {
      const code = codeOf(() => parsePolicy(bytes));
      expect([undefined, 'TRUST_MALFORMED', 'TRUST_TOO_LARGE']).toContain(code);
    }),
    { numRuns: 300 },
  );
});
