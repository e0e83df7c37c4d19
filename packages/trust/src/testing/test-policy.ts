/** A policy for tests: three stages, one author, builder, lab, two people, one registrar, one log with its witnesses. */
import { base64 } from '@sealane/core';
import type { Policy, PolicyKey } from '../policy/policy-types.js';
import { type TestSigner, testSigner } from './test-keys.js';
import type { TestLog } from './test-log.js';

/** The signers of a test lane. */
export interface TestPeople {
  readonly dev: TestSigner;
  readonly preprod: TestSigner;
  readonly prod: TestSigner;
  readonly author: TestSigner;
  readonly builder: TestSigner;
  readonly lab: TestSigner;
  readonly alice: TestSigner;
  readonly bob: TestSigner;
  readonly registrar: TestSigner;
}

/** New signers for all roles. */
export function testPeople(): TestPeople {
  const names = ['dev', 'preprod', 'prod', 'author', 'builder', 'lab', 'alice', 'bob', 'registrar'] as const;
  const [dev, preprod, prod, author, builder, lab, alice, bob, registrar] = names.map(() => testSigner());
  if (!dev || !preprod || !prod || !author || !builder || !lab || !alice || !bob || !registrar)
    throw new RangeError('make signers: expected nine');
  return { dev, preprod, prod, author, builder, lab, alice, bob, registrar };
}

/** The policy of stage `prod`; `change` edits it before use. */
export function testPolicy(log: TestLog, people: TestPeople, change: Partial<Policy> = {}): Policy {
  return {
    apiVersion: 'sealane/v1',
    kind: 'Policy',
    lane: log.origin,
    stage: 'prod',
    version: 1,
    chain: [
      { stage: 'dev', from: [], keys: [people.dev.keyId] },
      { stage: 'edge-preprod', from: ['dev'], keys: [people.preprod.keyId] },
      { stage: 'prod', from: ['edge-preprod'], keys: [people.prod.keyId] },
    ],
    keys: Object.fromEntries(Object.values(people).map((signer: TestSigner) => [signer.keyId, keyEntry(signer, log.origin)])),
    people: [
      { id: 'alice', keys: [people.alice.keyId] },
      { id: 'bob', keys: [people.bob.keyId] },
    ],
    signers: {
      release: [people.author.keyId],
      provenance: [people.builder.keyId],
      tests: [people.lab.keyId],
      hardware: [people.lab.keyId],
      scans: [],
      vex: [],
      sboms: [],
    },
    registrar: [people.registrar.keyId],
    logs: [{ origin: log.origin, baseUrl: `https://${log.origin}`, vkey: log.vkey }],
    witnesses: log.witnesses.map((witness) => witness.vkey),
    quorum: log.witnesses.length,
    gates: [],
    groups: [{ name: 'all', match: {} }],
    hardware: { require: ['arch', 'cpu'], equivalences: [] },
    floor: { counter: 0, index: 0 },
    accepts: [],
    ...change,
  };
}

/** A key's entry in a policy, valid from the log's first entry on. */
export function keyEntry(signer: TestSigner, origin: string): PolicyKey {
  return { spki: base64(signer.spki), origin, fromIndex: 0, untilIndex: null, reason: null };
}
