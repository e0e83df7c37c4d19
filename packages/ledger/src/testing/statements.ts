/** Statements of every kind, signed by keys made on the spot: what the tests of this package log. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  digestHex,
  encodeStatement,
  INTOTO_PAYLOAD_TYPE,
  type JsonObject,
  keyIdOf,
  makeEnvelope,
  pae,
  PREDICATE,
  sha256,
  utf8,
} from '@sealane/core';
import type { NewEntry } from '../log/entry.js';

/** A P-256 key pair of somebody. */
export interface TestKey {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
  readonly id: string;
}

/** Makes a P-256 key. */
export function testKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { privateKey, spki, id: keyIdOf(spki) };
}

/** Signs a statement about `subject` (any text stands for its bytes). */
export function signed(key: TestKey, predicateType: string, predicate: JsonObject, subject = 'release 1'): NewEntry {
  const payload = encodeStatement({ subject: [{ name: subject, digest: { sha256: hexOf(subject) } }], predicateType, predicate });
  return {
    envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), key.privateKey))),
    spki: key.spki,
  };
}

/** A small statement that differs by `n`. */
export function numbered(key: TestKey, n: number): NewEntry {
  return signed(key, 'urn:example:number:v1', { n }, `subject ${n % 7}`);
}

/** 64 hex digits that stand for some bytes. */
function hexOf(text: string): string {
  return digestHex(sha256(utf8(text)));
}

const digest = (text: string): string => `sha256:${hexOf(text)}`;
const SALT = '00112233445566778899aabbccddeeff';

/** One statement of every kind that the projection knows, and one that it does not. */
export function oneOfEach(author: TestKey, site: TestKey): readonly NewEntry[] {
  const release = digest('release 1');
  return [
    signed(author, PREDICATE.release, { name: 'api', version: '1.0.0', components: [{ name: 'app', digest: digest('part') }] }),
    signed(author, PREDICATE.provenance, { buildDefinition: {}, runDetails: {} }),
    signed(author, PREDICATE.testResult, {
      result: 'PASSED',
      configuration: [
        { name: 'unit', digest: { sha256: hexOf('report') } },
        { name: 'hardware', digest: { sha256: hexOf('hbom') } },
      ],
    }),
    signed(author, PREDICATE.approval, {
      release,
      stage: 'prod',
      verdict: 'approve',
      policy: digest('policy'),
      expiresAt: '2026-12-01T00:00:00Z',
    }),
    signed(author, PREDICATE.decision, {
      verificationResult: 'PASSED',
      policy: { uri: 'policy/prod.json', digest: { sha256: hexOf('policy') } },
      sealane_promotion: { release, counter: 1, from: 'dev', to: 'prod' },
    }),
    signed(author, PREDICATE.revocation, { release, reason: 'broken', floor: 2 }),
    signed(author, PREDICATE.siteRecord, { site: 'shop-17', key: { id: site.id, spki: '' }, stage: 'prod', labels: { region: 'north' } }),
    signed(site, PREDICATE.receipt, {
      site: 'shop-17',
      keyId: site.id,
      seq: 1,
      prev: digest('receipt 0'),
      event: 'installed',
      release,
      waybill: digest('waybill'),
      previous: null,
      reason: 'HEALTH_FAILED',
      at: '2026-11-24T10:00:00Z',
      hardware: { bomFormat: 'CycloneDX', specVersion: '1.7', metadata: { component: { type: 'device', name: 'ER-220' } } },
      salt: SALT,
    }),
    numbered(author, 1),
  ];
}
