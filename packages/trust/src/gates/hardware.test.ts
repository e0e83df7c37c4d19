import { describe, expect, test } from 'vitest';
import { ATTACHED_ROLES, foundHardware, hardwareClass, hardwareFacts, type JsonObject, sha256 } from '@sealane/core';
import { attached, hbom, junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf } from '../testing/gate-lane.js';

const uncovered = { verdict: 'fail', code: 'HARDWARE_UNCOVERED' };

function lane(settings: JsonObject = {}, tested: JsonObject = hbom()): GateLane {
  const it = new GateLane(gate('hardware', settings));
  it.tests(junit(3), { hardware: tested });
  return it;
}

const site = (name: string, inventory: JsonObject | null, reportedAt: string | null = null) => ({
  site: name,
  hardware: inventory === null ? null : foundHardware(inventory),
  reportedAt,
});

/** The predicate with another digest wherever it has this one. */
const renamed = (predicate: JsonObject, from: string, to: string): JsonObject =>
  JSON.parse(JSON.stringify(predicate).replaceAll(from.slice('sha256:'.length), to.slice('sha256:'.length))) as JsonObject;

describe('hardware gate', () => {
  test("passes when a unit of the sites' class passed its tests, whatever the serials", () => {
    const it = lane();
    it.fleet = [site('a', hbom({ serial: 'NR0002' })), site('b', hbom({ serial: 'NR0003' }))];
    expect(it.check('hardware')).toMatchObject({ verdict: 'pass', actual: '2 of 2 sites covered by 1 tested unit' });
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
    expect(lane().check('hardware')).toMatchObject({ verdict: 'pass', actual: '0 of 0 sites covered by 1 tested unit' });
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

  test.each<[string, (it: GateLane) => void, string]>([
    ['is not there', (it) => void it.blobs.delete(sha256(junit(3))), 'CONTENT_MISSING'],
    ['is other bytes', (it) => void it.blobs.set(sha256(junit(3)), junit(4)), 'CONTENT_DIGEST'],
  ])('a run whose report %s covers nothing, though its inventory is there', (_, change, code) => {
    const it = lane();
    it.fleet = [site('a', hbom())];
    change(it);
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code });
  });

  test('a run whose report has fewer cases than were signed covers nothing', () => {
    const it = new GateLane(gate('hardware'));
    it.fleet = [site('a', hbom())];
    const [report, signed] = [junit(1), junit(3)];
    it.tests(signed, { hardware: hbom(), forge: (predicate) => renamed(predicate, sha256(signed), sha256(report)) });
    it.blobs.set(sha256(report), report);
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
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
    expect(it.check('hardware')).toMatchObject({ ...uncovered, actual: expect.stringContaining('covered by 1 unit only') as string });
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

describe('attached devices', () => {
  const camera = (change: Parameters<typeof attached>[1] = {}) => attached('camera', change);
  const at = (...devices: JsonObject[]) => hbom({ attached: devices });
  const judged = (tested: readonly JsonObject[], here: JsonObject, settings: JsonObject = {}) => {
    const it = new GateLane(gate('hardware', settings));
    for (const inventory of tested) it.tests(junit(3), { hardware: inventory });
    it.fleet = [site('a', here)];
    return it.check('hardware');
  };

  test.each(ATTACHED_ROLES)('a %s that no test ever met leaves its site uncovered, and is named', (role) => {
    const check = judged([hbom()], at(attached(role)));
    expect(check).toMatchObject(uncovered);
    expect(check.actual).toContain(`a is uncovered (${role} Okulo VX-8 Dome HW 1.2: `);
    expect(judged([at(attached(role))], at(attached(role, { serial: 'OK-2' })))).toMatchObject({ verdict: 'pass' });
  });

  test.each([
    ['model', { model: 'VX-9' }],
    ['revision', { revision: 'HW 1.3' }],
    ['firmware', { firmware: '10.13' }],
    ['unknown revision', { revision: 'n/a' }],
    ['unknown firmware', { firmware: '' }],
  ])('another %s of the camera is another class', (_, change) => {
    expect(judged([at(camera())], at(camera(change)))).toMatchObject(uncovered);
  });

  test('an unknown fact covers nothing, not even its twin', () => {
    expect(judged([at(camera({ firmware: '' }))], at(camera({ firmware: '' })))).toMatchObject(uncovered);
  });

  test('each class counts by itself: machine and devices may have been tested in different runs, the camera also on a bench of its own', () => {
    const plc = attached('plc', { model: 'HC-1500' });
    const both = hbom({ serial: 'NR0009', attached: [camera({ serial: 'OK-7' }), plc, camera({ serial: 'OK-8' })] });
    expect(judged([at(camera()), at(plc)], both)).toMatchObject({ verdict: 'pass' });
    expect(judged([at(camera())], both)).toMatchObject(uncovered);
    const bench = hbom({ vendor: 'Okulo', model: 'VX-8 Dome', revision: 'HW 1.2' });
    const firmware = { type: 'firmware', name: 'firmware', version: '10.12' };
    const component = { ...((bench.metadata as JsonObject).component as JsonObject), components: [firmware] };
    expect(judged([hbom(), { ...bench, metadata: { component } }], at(camera()))).toMatchObject({ verdict: 'pass' });
  });

  test('what is inside a device is its part, what is attached behind it is a device of its own', () => {
    const lens = { type: 'device', manufacturer: { name: 'Okulo' }, name: 'V-3.4', version: '1' };
    const gateway = (...components: JsonObject[]) => attached('gateway', { model: 'GW-1', components });
    expect(judged([at(camera({ components: [lens] }))], at(camera({ components: [{ ...lens, version: '2' }] })))).toMatchObject(uncovered);
    expect(judged([at(gateway(camera()))], at(gateway(), camera()))).toMatchObject({ verdict: 'pass' });
    expect(judged([at(gateway())], at(gateway(camera())))).toMatchObject(uncovered);
  });

  test('wants as many units of each device as of machines', () => {
    const tested = [at(camera()), hbom({ serial: 'NR0002', attached: [camera()] })];
    expect(judged(tested, at(camera()), { minUnits: 2 })).toMatchObject({
      ...uncovered,
      actual: expect.stringContaining('camera Okulo VX-8 Dome HW 1.2: covered by 1 unit only') as string,
    });
    const two = hbom({ serial: 'NR0002', attached: [camera({ serial: 'OK-2' })] });
    expect(judged([...tested, two], at(camera()), { minUnits: 2 })).toMatchObject({ verdict: 'pass' });
  });

  test('a failure blames every class that was there, and a pass lifts it only where all of them were', () => {
    const it = new GateLane(gate('hardware'));
    it.tests(junit(3), { hardware: at(camera()) });
    it.fleet = [site('a', hbom())];
    it.tests(junit(2, 1), { hardware: at(camera({ firmware: '10.13' })) });
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', actual: expect.stringContaining('a is uncovered') as string });
    it.tests(junit(3), { hardware: hbom() });
    expect(it.check('hardware').verdict).toBe('fail');
    it.tests(junit(3), { hardware: at(camera({ firmware: '10.13' })) });
    expect(it.check('hardware').verdict).toBe('pass');
  });
});

describe('many sites', () => {
  test('names the first sites that are not covered, each reason cut, and counts the rest', () => {
    const it = lane();
    const firmware = Array.from({ length: 40 }, (_, n) => ({ type: 'firmware', name: `module ${n}`, version: 'x'.repeat(60) }));
    it.fleet = [site('fine', hbom()), ...Array.from({ length: 14 }, (_, n) => site(`town-${n}`, { ...hbom(), components: firmware }))];
    const { verdict, actual } = it.check('hardware');
    expect(verdict).toBe('pass');
    expect(actual).toContain('1 of 15 sites covered');
    for (let n = 0; n < 10; n += 1) expect(actual).toContain(`town-${n} is uncovered (firmware: tested none, here module 0 x`);
    expect(actual).toMatch(/; and 4 more$/);
  });

  test('a report from the far future is as unknown as one from the far past', () => {
    const it = lane({ inventoryMaxAgeDays: 1, unknown: 'refuse' });
    it.fleet = [site('a', hbom(), '2027-11-24T10:00:00Z')];
    expect(it.check('hardware')).toMatchObject(uncovered);
  });

  test('one unit that was tested in two states covers both', () => {
    const it = lane({ unknown: 'refuse' });
    it.tests(junit(3), { hardware: hbom({ bios: '3.0' }) });
    it.fleet = [site('a', hbom()), site('b', hbom({ bios: '3.0' }))];
    expect(it.check('hardware')).toMatchObject({ verdict: 'pass', actual: '2 of 2 sites covered by 1 tested unit' });
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
