/** A retirement at a site: only the registrar's word, logged, for this very site, may have it wiped. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type RetirementPredicate, retirementStatement } from '../evidence/predicates/retirement.js';
import { encodeBundle } from '../evidence/bundle.js';
import { AdmitLane, NOW, TIMES } from '../testing/admit-lane.js';
import { type LanePeople, saltOf } from '../testing/statement-lane.js';
import { envelopeOf } from '../testing/test-keys.js';
import { judgeRetirement } from './retirement-step.js';

let lane: AdmitLane;

beforeAll(async () => {
  lane = await new AdmitLane().passed();
});

function payload(change: Partial<RetirementPredicate> = {}): Uint8Array {
  const usual = { site: 'plant-7', keyId: lane.siteKey.keyId, stage: 'prod', reason: 'the hall is sold', issuedAt: NOW, salt: saltOf(1) };
  return retirementStatement({ ...usual, ...change });
}

function judged(change: Partial<RetirementPredicate> = {}, by: keyof LanePeople = 'registrar', now = NOW): unknown {
  const digest = lane.sign(payload(change), lane.people[by]);
  lane.seal(TIMES.published);
  return judgeRetirement(lane.input({ now }), lane.bundles.get(digest) ?? {});
}

const refused = (code: string): unknown => expect.objectContaining({ code });

describe('a retirement at a site', () => {
  test('counts when the registrar signed it for this name, key and stage; also when all that online keys signed has expired', () => {
    const counts = { keyId: lane.siteKey.keyId, reason: 'the hall is sold' };
    expect(judged()).toMatchObject(counts);
    expect(judged({ salt: saltOf(2) }, 'registrar', '2026-12-30T12:00:00Z')).toMatchObject(counts);
  });

  test.each<[string, Partial<RetirementPredicate>]>([
    ['for another site', { site: 'plant-8' }],
    ['for the key that this host had before', { keyId: '0'.repeat(64) }],
    ['for another stage', { stage: 'dev' }],
  ])('is refused when it is one %s', (_, change) => {
    expect(() => judged(change)).toThrow(refused('SITE_MISMATCH'));
  });

  test.each<keyof LanePeople>(['prod', 'alice', 'author', 'lab'])('is refused when %s signed it', (by) => {
    expect(() => judged({}, by)).toThrow(refused('SITE_MISMATCH'));
  });

  test('is refused when it is in no log: nobody has a site wiped that others cannot see', () => {
    const { registrar } = lane.people;
    const bundle = encodeBundle({ envelope: envelopeOf(payload({ salt: saltOf(3) }), registrar), spki: registrar.spki });
    expect(() => judgeRetirement(lane.input(), bundle)).toThrow(refused('LOG_NOT_INCLUDED'));
  });
});
