import { describe, expect, test } from 'vitest';
import { hardwareClass, hardwareFacts, type JsonObject } from '@sealane/core';
import { digestOf, gate, GateLane, hbom, junit, keyOf } from '../testing/gate-lane.js';

const uncovered = { verdict: 'fail', code: 'HARDWARE_UNCOVERED' };

function lane(settings: JsonObject = {}, tested: JsonObject = hbom()): GateLane {
  const it = new GateLane(gate('hardware', settings));
  it.tests(junit(3), { hardware: tested });
  return it;
}

const site = (name: string, inventory: JsonObject | null, reportedAt: string | null = null) => ({
  site: name,
  hbom: inventory,
  reportedAt,
});

describe('hardware gate', () => {
  test("passes when a unit of the sites' class passed its tests, whatever the serials", () => {
    const it = lane();
    it.fleet = [site('a', hbom({ serial: 'NR0002' })), site('b', hbom({ serial: 'NR0003' }))];
    expect(it.check('hardware')).toMatchObject({ verdict: 'pass', actual: '2 of 2 sites covered by 1 tested units' });
  });

  test('fails without any result, and with results that name no hardware, with the command that adds one', () => {
    const none = new GateLane(gate('hardware'));
    expect(none.check('hardware')).toMatchObject({
      ...uncovered,
      remedy: expect.stringMatching(/^sealane evidence add sha256:.* --hardware /) as string,
    });
    none.tests(junit(3));
    expect(none.check('hardware')).toMatchObject({ ...uncovered, actual: 'no passing test result with a hardware inventory' });
  });

  test('a fleet of which nothing is known passes on tested units alone, unless unknown is refused', () => {
    expect(lane().check('hardware')).toMatchObject({ verdict: 'pass', actual: '0 of 0 sites covered by 1 tested units' });
    expect(lane({ unknown: 'refuse' }).check('hardware')).toMatchObject(uncovered);
  });

  test('uncovered and silent sites are left out and named; with refuse they block', () => {
    for (const [unknown, verdict] of [
      ['exclude', 'pass'],
      ['refuse', 'fail'],
    ] as const) {
      const it = lane({ unknown });
      it.fleet = [site('a', hbom()), site('b', hbom({ bios: '3.0' })), site('c', null)];
      const check = it.check('hardware');
      expect(check.verdict).toBe(verdict);
      expect(check.actual).toContain('1 of 3 sites covered');
      expect(check.actual).toContain('b is uncovered (firmware: tested BIOS 2.14.1, here BIOS 3.0)');
      expect(check.actual).toContain('c is silent (it never reported its hardware)');
    }
  });

  test.each(['vendor', 'model', 'revision', 'bios'] as const)('a site whose %s differs, or is unknown, is not covered', (fact) => {
    for (const value of ['other', 'To Be Filled By O.E.M.']) {
      const it = lane();
      it.fleet = [site('a', hbom({ [fact]: value }))];
      expect(it.check('hardware')).toMatchObject(uncovered);
    }
  });

  test('an inventory of the lab that lacks a required fact covers nothing, not even its twin', () => {
    const it = lane({}, hbom({ model: 'Default string' }));
    it.fleet = [site('a', hbom({ model: 'Default string' }))];
    expect(it.check('hardware')).toMatchObject({ ...uncovered, actual: expect.stringContaining('does not know model') as string });
  });

  test('a single site that is not covered is refused also where unknown is excluded: nothing would be left', () => {
    const it = lane();
    it.fleet = [site('self', hbom({ revision: 'A04' }))];
    expect(it.check('hardware')).toMatchObject({ ...uncovered, actual: expect.stringContaining('no site is covered') as string });
  });

  test.each([
    ['by a stranger', { key: 'stranger' }, 'EVIDENCE_SIGNER'],
    ['about other bytes', { subject: digestOf('other') }, 'EVIDENCE_SUBJECT'],
    ['whose blobs are missing', { blobs: 'no' }, 'CONTENT_MISSING'],
    ['whose inventory is no device BOM', { hardware: { bomFormat: 'SPDX' } }, 'EVIDENCE_RESULT'],
    ['that only WARNED', { forge: (predicate: JsonObject) => ({ ...predicate, result: 'WARNED' }) }, 'HARDWARE_UNCOVERED'],
  ] as const)('refuses a result %s', (_, change, code) => {
    const it = new GateLane(gate('hardware'));
    it.tests(junit(3), { hardware: hbom(), ...change });
    it.fleet = [site('a', hbom())];
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code });
  });

  test('an inventory replaced by another is refused by its digest', () => {
    const it = lane();
    const [digest] = [...it.blobs.keys()].filter((key) => new TextDecoder().decode(it.blobs.get(key)).startsWith('{'));
    it.blobs.set(digest!, new TextEncoder().encode(JSON.stringify(hbom({ bios: '3.0' }))));
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'CONTENT_DIGEST' });
  });

  test('a failure on that class after the pass takes its coverage away, on another class it does not', () => {
    const other = lane();
    other.tests(junit(1, 1), { hardware: hbom({ bios: '3.0' }) });
    expect(other.check('hardware')).toMatchObject({ verdict: 'pass' });
    const same = lane();
    const failure = same.tests(junit(1, 1), { hardware: hbom({ serial: 'NR0007' }) });
    expect(same.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', evidence: [failure] });
  });

  test('wants distinct units: one unit tested twice is one', () => {
    const it = lane({ minUnits: 2 });
    it.tests(junit(4), { hardware: hbom() });
    it.fleet = [site('a', hbom({ serial: 'NR0005' }))];
    expect(it.check('hardware')).toMatchObject(uncovered);
    it.tests(junit(4), { hardware: hbom({ serial: 'NR0002' }) });
    expect(it.check('hardware')).toMatchObject({ verdict: 'pass' });
  });

  test('two units of different classes are not two of one', () => {
    const it = lane({ minUnits: 2 });
    it.tests(junit(4), { hardware: hbom({ serial: 'NR0002', bios: '3.0' }) });
    it.fleet = [site('a', hbom())];
    expect(it.check('hardware')).toMatchObject({ ...uncovered, actual: expect.stringContaining('covered by 1 units only') as string });
  });

  test('an old inventory counts as unknown where policy bounds its age', () => {
    const it = lane({ inventoryMaxAgeDays: 1, unknown: 'refuse' });
    for (const [reportedAt, verdict] of [
      ['2026-11-23T10:00:00Z', 'pass'],
      ['2026-11-23T09:59:59Z', 'fail'],
      [null, 'fail'],
    ] as const) {
      it.fleet = [site('a', hbom(), reportedAt)];
      expect(it.check('hardware').verdict).toBe(verdict);
    }
  });

  test('policy may ask for other facts', () => {
    const it = lane({}, hbom());
    it.policy = { ...it.policy, hardware: { require: ['arch'], equivalences: [] } };
    it.fleet = [site('a', hbom())];
    expect(it.check('hardware')).toMatchObject({ ...uncovered, actual: expect.stringContaining('does not know arch') as string });
  });
});

describe('equivalences', () => {
  const classOf = (inventory: JsonObject) => hardwareClass(hardwareFacts(inventory));
  const equivalent = (expiresAt: string, siteHbom: JsonObject, testedHbom = hbom()) => {
    const it = lane({}, testedHbom);
    it.policy = {
      ...it.policy,
      hardware: { require: [], equivalences: [{ classes: [classOf(testedHbom), classOf(siteHbom)], owner: 'alice', expiresAt }] },
    };
    it.fleet = [site('a', siteHbom)];
    return it.check('hardware').verdict;
  };

  test('one that an owner signed covers another class until it expires, judged at the witnessed time', () => {
    expect(equivalent('2026-11-24T10:00:01Z', hbom({ bios: '3.0' }))).toBe('pass');
    expect(equivalent('2026-11-24T10:00:00Z', hbom({ bios: '3.0' }))).toBe('fail');
  });

  test('none covers a required fact that is unknown', () => {
    expect(equivalent('2030-01-01T00:00:00Z', hbom({ model: 'unknown' }))).toBe('fail');
  });

  test('a revoked lab covers nothing', () => {
    const it = lane();
    it.policy = { ...it.policy, signers: { ...it.policy.signers, hardware: [keyOf('builder')] } };
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SIGNER' });
  });
});
