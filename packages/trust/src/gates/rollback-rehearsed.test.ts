import { base64, type Digest, digestHex, type JsonObject, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { type ReceiptPredicate, receiptStatement } from '../evidence/predicates/receipt.js';
import { type SiteRecordPredicate, siteRecordStatement } from '../evidence/predicates/site-record.js';
import { hbom, junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf, RELEASE } from '../testing/gate-lane.js';
import { testTraps } from '../testing/run-document-traps.js';

const OLD = digestOf('release before');
const OTHER = digestOf('another release');
const NONCE = '0'.repeat(32);
const ID = 'rollback-rehearsed';

const rehearsal = (change: JsonObject = {}, back: JsonObject = {}): JsonObject => ({
  apiVersion: 'sealane/v1',
  kind: 'Rehearsal',
  stage: 'edge-preprod',
  site: 'bench-1',
  rollbacks: [{ to: OLD, seconds: 42, at: '2026-11-24T08:00:00Z', receipts: [], ...back }],
  ...change,
});

function lane(settings: JsonObject = {}): GateLane {
  const it = new GateLane(gate(ID, { withinSeconds: 60, ...settings }));
  it.replaces = [OLD];
  return it;
}

/** Site keys are real digests of what stands in for a key: a record is read back, and its id compared. */
const siteKey = (site: string): string => digestHex(sha256(utf8(`key ${site}`)));

function enrol(it: GateLane, site: string, change: Partial<SiteRecordPredicate> = {}): Digest {
  const record = {
    site,
    key: { id: siteKey(site), spki: base64(utf8(`key ${site}`)) },
    stage: 'edge-preprod',
    labels: {},
    nonce: NONCE,
    issuedAt: '2026-11-20T10:00:00Z',
    ...change,
  };
  return it.log(siteRecordStatement(record), { key: 'registrar' });
}

function receipt(it: GateLane, site: string, change: Partial<ReceiptPredicate> = {}, key = site): Digest {
  const predicate: ReceiptPredicate = {
    site,
    keyId: siteKey(site),
    seq: 3,
    prev: null,
    event: 'rollback',
    release: OLD,
    waybill: null,
    previous: RELEASE,
    reason: null,
    checks: [],
    at: '2026-11-24T08:00:00Z',
    hardware: hbom(),
    seconds: 12,
    checkpoint: null,
    salt: NONCE,
    ...change,
  };
  return it.log(receiptStatement(predicate), { key });
}

/** A receipt of a site that lost power meanwhile. */
function untimed(it: GateLane, site: string): void {
  receipt(it, site);
  const last = it.statements.pop();
  if (last === undefined) throw new RangeError('expected a receipt');
  const { seconds: _, ...predicate } = last.statement.predicate;
  it.statements.push({ ...last, statement: { ...last.statement, predicate } });
}

const refused = { verdict: 'fail', code: 'EVIDENCE_ROLLBACK' };

describe('rollback-rehearsed gate, on what a lab wrote down', () => {
  testTraps({ id: ID, kind: 'rehearsal', code: 'EVIDENCE_ROLLBACK', lane, good: rehearsal() });

  test.each<[string, JsonObject, string]>([
    ['took too long', rehearsal({}, { seconds: 60.5 }), 'it took 60.5 s'],
    ['took no time', rehearsal({}, { seconds: 0 }), '0 s is no measurement'],
    ['went back to another release', rehearsal({}, { to: OTHER }), 'nowhere'],
    ['was done in another stage', rehearsal({ stage: 'dev' }), 'nowhere'],
    ['was done in the stage asked for', rehearsal({ stage: 'prod' }), 'nowhere'],
  ])('refuses one that %s', (_, document, actual) => {
    const it = lane();
    it.tests(junit(1), { documents: { rehearsal: document } });
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining(actual) as string });
  });

  test('an empty list of rollbacks, and one release twice, are no rehearsal', () => {
    for (const rollbacks of [[], [rehearsal()['rollbacks'], rehearsal()['rollbacks']].flat() as JsonObject[]]) {
      const it = lane();
      it.tests(junit(1), { documents: { rehearsal: { ...rehearsal(), rollbacks } } });
      expect(it.check(ID)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    }
  });
});

describe('rollback-rehearsed gate, on receipts of sites', () => {
  test('passes with a receipt of a site of the stage before, and names it with the record of the site', () => {
    const it = lane();
    const record = enrol(it, 'shop-1');
    const back = receipt(it, 'shop-1');
    expect(it.check(ID)).toMatchObject({
      verdict: 'pass',
      actual: `back to ${OLD}: shop-1 in 12 s`,
      evidence: [record, back].sort(),
    });
  });

  test.each<[string, Partial<ReceiptPredicate>, string?]>([
    ['of a longer return', { seconds: 61 }],
    ['of another release', { previous: OTHER }],
    ['of a return to another release', { release: OTHER }],
    ['of a site that ran nothing before', { previous: null }],
    ['of an installation', { event: 'installed' }],
    ['of a release that failed at once', { event: 'rolled-back', release: RELEASE, previous: OLD }],
    ['of a refusal', { event: 'refused', reason: 'HARDWARE_UNCOVERED' }],
    ['in the name of another site', { site: 'shop-2' }],
    ['with the id of another key', { keyId: keyOf('lab') }],
    ['by a stranger', {}, 'stranger'],
    ['by a lab', {}, 'lab'],
  ])('refuses a receipt %s', (_, change, key = 'shop-1') => {
    const it = lane();
    enrol(it, 'shop-1');
    receipt(it, 'shop-1', change, key);
    expect(it.check(ID)).toMatchObject(refused);
  });

  test('refuses where a rehearsal cannot be read or a failure stands, though a site went back', () => {
    for (const [passed, failed, document] of [
      [1, 0, { kind: 'Rehearsal' }],
      [0, 1, rehearsal()],
    ] as const) {
      const it = lane();
      enrol(it, 'shop-1');
      receipt(it, 'shop-1');
      expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
      it.tests(junit(passed, failed), { documents: { rehearsal: document } });
      expect(it.check(ID)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    }
  });

  test('the newest return by the log counts, in whichever order statements are handed over', () => {
    const it = lane();
    enrol(it, 'shop-1');
    receipt(it, 'shop-1');
    receipt(it, 'shop-1', { seq: 4, seconds: 61 });
    it.statements.reverse();
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining('it took 61 s') as string });
  });

  test('refuses a receipt that does not say how long it took', () => {
    const it = lane();
    enrol(it, 'shop-1');
    untimed(it, 'shop-1');
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining('how long it took is not known') as string });
  });

  test.each([
    ['of another stage', { stage: 'dev' }],
    ['of the stage asked for', { stage: 'prod' }],
  ])('refuses the receipt of a site %s', (_, change) => {
    const it = lane();
    enrol(it, 'shop-1', change);
    receipt(it, 'shop-1');
    expect(it.check(ID)).toMatchObject(refused);
  });

  test('refuses a site that nobody enrolled, that a stranger enrolled, or that was enrolled anew with another key', () => {
    const unknown = lane();
    receipt(unknown, 'shop-1');
    expect(unknown.check(ID)).toMatchObject(refused);
    const forged = lane();
    enrol(forged, 'shop-1');
    const record = forged.statements.pop();
    if (record !== undefined) forged.statements.push({ ...record, keyId: keyOf('stranger') });
    receipt(forged, 'shop-1');
    expect(forged.check(ID)).toMatchObject(refused);
    const anew = lane();
    enrol(anew, 'shop-1');
    enrol(anew, 'shop-1', { key: { id: siteKey('new'), spki: base64(utf8('key new')) } });
    receipt(anew, 'shop-1');
    expect(anew.check(ID)).toMatchObject(refused);
  });

  test('a record that came after the receipt neither makes nor voids it', () => {
    const late = lane();
    receipt(late, 'shop-1');
    enrol(late, 'shop-1');
    expect(late.check(ID)).toMatchObject(refused);
    const moved = lane();
    enrol(moved, 'shop-1');
    receipt(moved, 'shop-1');
    enrol(moved, 'shop-1', { stage: 'prod' });
    expect(moved.check(ID)).toMatchObject({ verdict: 'pass' });
  });

  test('the key of a lab that a record names as a site does not speak for a site', () => {
    const it = lane();
    it.policy = {
      ...it.policy,
      keys: {
        ...it.policy.keys,
        [siteKey('shop-1')]: { spki: 'AAAA', origin: 'lane.example', fromIndex: 0, untilIndex: null, reason: null },
      },
    };
    enrol(it, 'shop-1');
    receipt(it, 'shop-1');
    expect(it.check(ID)).toMatchObject(refused);
  });

  test('the newest return of a site counts: a slow one is not made good by an older one, nor by another site', () => {
    const it = lane();
    enrol(it, 'shop-1');
    enrol(it, 'shop-2');
    receipt(it, 'shop-1');
    receipt(it, 'shop-1', { seq: 5, seconds: 300 });
    receipt(it, 'shop-2');
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining('shop-1: it took 300 s') as string });
    receipt(it, 'shop-1', { seq: 7, seconds: 20 });
    expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
  });

  test('what a lab wrote down of a site does not make good what the site itself said, only what it did not', () => {
    const it = lane();
    enrol(it, 'shop-1');
    receipt(it, 'shop-1', { seconds: 900 });
    it.tests(junit(1), { documents: { rehearsal: rehearsal({ site: 'shop-1' }) } });
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining('it took 900 s') as string });
    receipt(it, 'shop-1', { seq: 4 });
    expect(it.check(ID)).toMatchObject({ verdict: 'pass', actual: `back to ${OLD}: shop-1 in 12 s` });
    it.tests(junit(2), { documents: { rehearsal: rehearsal({ site: 'shop-1' }, { seconds: 61 }) } });
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining('it took 61 s') as string });
    const cut = lane();
    enrol(cut, 'shop-1');
    untimed(cut, 'shop-1');
    cut.tests(junit(1), { documents: { rehearsal: rehearsal({ site: 'shop-1' }) } });
    expect(cut.check(ID).verdict).toBe('pass');
  });

  test('one site that went back twice is one place, whoever else wrote it down', () => {
    const it = lane({ minSites: 2 });
    enrol(it, 'shop-1');
    receipt(it, 'shop-1');
    receipt(it, 'shop-1', { seq: 5 });
    it.tests(junit(1), { documents: { rehearsal: rehearsal({ site: 'shop-1' }) } });
    expect(it.check(ID)).toMatchObject(refused);
    it.tests(junit(2), { documents: { rehearsal: rehearsal() } });
    expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
  });

  test('every release that is replaced must be among them: by the decisions before, and by what the fleet runs', () => {
    const it = lane();
    enrol(it, 'shop-1');
    receipt(it, 'shop-1');
    it.replaces = [OLD, OTHER];
    expect(it.check(ID)).toMatchObject({ ...refused, actual: expect.stringContaining(`back to ${OTHER}: nowhere`) as string });
    it.replaces = [OLD];
    it.fleet = [{ site: 'far-1', hardware: null, reportedAt: null, running: OTHER }];
    expect(it.check(ID)).toMatchObject(refused);
    receipt(it, 'shop-1', { seq: 5, release: OTHER });
    expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
  });
});

describe('rollback-rehearsed gate, and time', () => {
  const aged = (at: string, settings: JsonObject = { maxAgeDays: 7 }): GateLane => {
    const it = lane(settings);
    enrol(it, 'shop-1');
    receipt(it, 'shop-1', { at });
    return it;
  };

  test('a rehearsal grows stale; one that says it was done after it was logged comes of a clock that runs ahead', () => {
    expect(aged('2026-11-17T10:00:00Z').check(ID)).toMatchObject({ verdict: 'pass' });
    expect(aged('2026-11-17T09:59:59Z').check(ID)).toMatchObject({
      ...refused,
      actual: expect.stringContaining('it was done at') as string,
    });
    expect(aged('2026-11-24T09:00:01Z').check(ID)).toMatchObject({
      ...refused,
      actual: expect.stringContaining('after it was logged') as string,
    });
    expect(aged('2020-01-01T00:00:00Z', {}).check(ID)).toMatchObject({ verdict: 'pass' });
  });

  test('a longer wait is judged at the witnessed time', () => {
    const it = aged('2026-11-24T08:00:00Z');
    it.time = { lowest: '2026-12-24T10:00:00Z', highest: '2026-12-24T10:00:00Z' };
    expect(it.check(ID)).toMatchObject(refused);
  });
});

describe('rollback-rehearsed gate, with nothing to go back to', () => {
  test('passes and says so when no other release was let in and no site runs one', () => {
    const it = lane();
    it.replaces = [];
    it.fleet = [
      { site: 'new-1', hardware: null, reportedAt: null },
      { site: 'new-2', hardware: null, reportedAt: null, running: null },
    ];
    expect(it.check(ID)).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('1 never reported') as string });
    it.fleet = [...it.fleet, { site: 'old-1', hardware: null, reportedAt: null, running: OLD }];
    expect(it.check(ID)).toMatchObject(refused);
  });

  test('what is not known is no first release', () => {
    const it = lane();
    it.replaces = undefined;
    expect(it.check(ID)).toMatchObject({ ...refused, actual: 'what it replaces is not known' });
  });

  test('the release itself, where it runs already, is none that it replaces', () => {
    const it = lane();
    it.replaces = [];
    it.fleet = [{ site: 'shop-9', hardware: null, reportedAt: null, running: RELEASE }];
    expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
  });

  test('a part without a way back is refused unless people are asked for it', () => {
    const it = lane();
    it.irreversible = true;
    it.components = [{ name: 'bmc', kind: 'firmware', digest: OLD, oneWay: true }];
    expect(it.check(ID)).toMatchObject({ verdict: 'fail', code: 'RELEASE_IRREVERSIBLE', actual: expect.stringContaining('bmc') as string });
    it.policy = { ...it.policy, gates: [...it.policy.gates, gate('irreversible', { count: 1 })] };
    expect(it.check(ID)).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('cannot be rehearsed') as string });
    expect(it.check('irreversible')).toMatchObject({ verdict: 'pending' });
  });
});

test.each([{}, { withinSeconds: 0 }, { withinSeconds: '60' }, { withinSeconds: 60, minSites: 0 }, { withinSeconds: 60, surplus: 1 }])(
  'settings %j are no settings',
  (settings) => {
    const it = new GateLane(gate(ID, settings));
    it.replaces = [OLD];
    expect(it.check(ID)).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
  },
);
