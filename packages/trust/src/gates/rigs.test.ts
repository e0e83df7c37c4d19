import { foundHardware, hardwareClass, hardwareFacts, type JsonObject } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { attached, hbom, junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf } from '../testing/gate-lane.js';

const IN_RUN = '2026-11-24T07:30:00Z';
const RUN = { key: 'rig-1', finishedAt: '2026-11-24T08:00:00Z', hardware: hbom({ takenAt: IN_RUN }) };
const unqualified = (why: string) => ({ verdict: 'fail', code: 'EVIDENCE_RIG', actual: expect.stringContaining(why) as string });

/** A lane that asks for rigs rebuilt within 7 days; rig-1 is enrolled as the machine of `hbom()`. */
function lane(settings: JsonObject = { rebuiltWithinDays: 7 }, enrolled = hbom()): GateLane {
  const it = new GateLane(gate('hardware', { rigs: 'required', ...settings }));
  it.rig('rig-1', enrolled);
  it.fleet = [{ site: 'a', hardware: foundHardware(hbom({ serial: 'NR0100' })), reportedAt: null }];
  return it;
}

describe('evidence of rigs', () => {
  test('a run that an enrolled rig signed counts, and names the record and the rebuild that it rests on', () => {
    const it = lane();
    const [record] = it.statements.filter(({ statement }) => statement.predicateType === 'urn:sealane:rig:v1').map(({ digest }) => digest);
    const rebuild = it.rebuild('rig-1', hbom(), { builtAt: '2026-11-23T09:00:00Z' });
    const run = it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject({ verdict: 'pass', evidence: [record, rebuild, run].sort() });
  });

  test('without the setting a rig counts for nothing, and a lab does', () => {
    const it = lane({ rigs: 'any' });
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SIGNER' });
    it.tests(junit(3), { ...RUN, key: 'lab' });
    expect(it.check('hardware').verdict).toBe('pass');
  });

  test.each([
    ['a lab that is no rig', 'lab'],
    ['a stranger', 'stranger'],
    ['another rig than the enrolled one', 'rig-2'],
  ])('a run signed by %s does not count', (_, key) => {
    const it = lane();
    it.tests(junit(3), { ...RUN, key });
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SIGNER' });
  });

  test.each([
    ['a record that the registrar did not sign', { key: 'lab' }],
    ['one that a rig signed for itself', { key: 'rig-1' }],
  ])('%s enrols nobody', (_, change) => {
    const it = new GateLane(gate('hardware', { rigs: 'required' }));
    it.rig('rig-1', hbom(), change);
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SIGNER' });
  });

  test('a key that policy names for something does not become a rig’s by a record', () => {
    const it = new GateLane(gate('hardware', { rigs: 'required' }));
    it.rig('lab', hbom());
    it.tests(junit(3), { ...RUN, key: 'lab' });
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SIGNER' });
  });

  test('a run that was logged before the record does not count, nor one when the registrar’s key had ended', () => {
    const early = new GateLane(gate('hardware', { rigs: 'required' }));
    early.tests(junit(3), RUN);
    early.rig('rig-1', hbom());
    expect(early.check('hardware')).toMatchObject({ verdict: 'fail', code: 'KEY_REVOKED' });
    const ended = lane();
    ended.tests(junit(3), RUN);
    const key = ended.policy.keys[keyOf('registrar')]!;
    ended.policy = { ...ended.policy, keys: { ...ended.policy.keys, [keyOf('registrar')]: { ...key, untilIndex: 3 } } };
    expect(ended.check('hardware').verdict).toBe('fail');
  });

  test('a failure that a lab signed stands beside the passes of rigs', () => {
    const it = lane();
    it.tests(junit(3), RUN);
    it.tests(junit(2, 1), { hardware: hbom({ serial: 'NR0007' }) });
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
  });

  test('minimum units are different rigs by serial', () => {
    const it = lane({ minUnits: 2 });
    it.tests(junit(3), RUN);
    it.tests(junit(4), RUN);
    expect(it.check('hardware').verdict).toBe('fail');
    it.rig('rig-2', hbom({ serial: 'NR0002' }));
    it.tests(junit(3), { ...RUN, key: 'rig-2', hardware: hbom({ serial: 'NR0002', takenAt: IN_RUN }) });
    expect(it.check('hardware').verdict).toBe('pass');
  });
});

describe('the inventory of a run', () => {
  test.each([
    ['that was taken a week before', { hardware: hbom({ takenAt: '2026-11-17T08:00:00Z' }) }, 'not in that run'],
    ['that was taken a week after', { hardware: hbom({ takenAt: '2026-12-01T08:00:00Z' }) }, 'not in that run'],
    ['that does not say when it was taken', { hardware: hbom() }, 'does not say when it was taken'],
    ['that says nonsense', { hardware: hbom({ takenAt: 'today' }) }, 'does not say when it was taken'],
  ])('one %s is not of that run', (_, change, why) => {
    const it = lane();
    it.tests(junit(3), { ...RUN, ...change });
    expect(it.check('hardware')).toMatchObject(unqualified(why));
  });

  test('a run without an end, or that ended after it was logged, does not count', () => {
    const { finishedAt: _, ...endless } = RUN;
    for (const [change, why] of [
      [endless, 'does not say when it ended'],
      [{ ...RUN, finishedAt: '2026-11-24T09:00:01Z' }, 'after it was logged'],
    ] as const) {
      const it = lane();
      it.tests(junit(3), change);
      expect(it.check('hardware')).toMatchObject(unqualified(why));
    }
  });

  test('a run that names no inventory is none on hardware', () => {
    const it = lane();
    const { hardware: _, ...blind } = RUN;
    it.tests(junit(3), blind);
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', code: 'HARDWARE_UNCOVERED' });
  });
});

describe('rebuilding', () => {
  test.each([
    [7, '2026-11-17T08:00:00Z', 'pass'],
    [7, '2026-11-17T07:59:59Z', 'fail'],
    [0.5, '2026-11-23T20:00:00Z', 'pass'],
    [0.5, '2026-11-23T19:59:59Z', 'fail'],
  ] as const)('within %d days of the end of the run: built at %s is a %s', (rebuiltWithinDays, builtAt, verdict) => {
    const it = new GateLane(gate('hardware', { rigs: 'required', rebuiltWithinDays }));
    it.rig('rig-1', hbom(), { builtAt });
    it.tests(junit(3), RUN);
    expect(it.check('hardware').verdict).toBe(verdict);
  });

  test('a rig that is long built counts again once it was rebuilt, not for runs before that', () => {
    const it = lane({ rebuiltWithinDays: 2 });
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject(unqualified('it was last built at 2026-11-20T09:00:00Z, more than 2 days before the run'));
    it.rebuild('rig-1', hbom(), { builtAt: '2026-11-23T09:00:00Z' });
    expect(it.check('hardware').verdict).toBe('fail');
    it.tests(junit(4), RUN);
    expect(it.check('hardware').verdict).toBe('pass');
  });

  test.each([
    ['from another template', { template: digestOf('other') }, 'not from'],
    ['after the run', { builtAt: '2026-11-24T08:30:00Z' }, 'after the run'],
    [
      'after its own log entry was witnessed',
      { builtAt: '2026-11-24T07:00:00Z', witnessed: '2026-11-24T06:00:00Z' },
      'after the run or after that was logged',
    ],
  ])('a rebuild %s does not count', (_, change, why) => {
    const it = lane();
    it.rebuild('rig-1', hbom(), change);
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject(unqualified(why));
  });

  test('a rebuild that a lab, a stranger or another rig signed is none; the registrar may sign one', () => {
    for (const [key, verdict] of [
      ['lab', 'fail'],
      ['stranger', 'fail'],
      ['rig-2', 'fail'],
      ['registrar', 'pass'],
    ] as const) {
      const it = lane({ rebuiltWithinDays: 2 });
      it.rig('rig-2', hbom({ serial: 'NR0002' }));
      it.rebuild('rig-1', hbom(), { key, builtAt: '2026-11-23T09:00:00Z' });
      it.tests(junit(3), RUN);
      expect(it.check('hardware').verdict).toBe(verdict);
    }
  });
});

describe('which rebuild is meant', () => {
  const fresh = { builtAt: '2026-11-23T09:00:00Z' };

  test('that of another rig makes this one no younger', () => {
    const it = lane({ rebuiltWithinDays: 2 });
    it.rig('rig-2', hbom({ serial: 'NR0002' }));
    it.rebuild('rig-2', hbom({ serial: 'NR0002' }), fresh);
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject(unqualified('it was last built at 2026-11-20T09:00:00Z'));
  });

  test('one from before the rig was enrolled again says nothing of what it was enrolled as', () => {
    const it = lane({ rebuiltWithinDays: 2 });
    it.rebuild('rig-1', hbom(), fresh);
    it.rig('rig-1', hbom(), { salt: '1'.repeat(32) });
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject(unqualified('it was last built at 2026-11-20T09:00:00Z'));
  });
});

describe('drift', () => {
  const camera = (serial: string) => attached('camera', { serial });
  const at = (serial: string, takenAt?: string) => hbom({ attached: [camera(serial)], ...(takenAt === undefined ? {} : { takenAt }) });

  test('another machine, another firmware, another unit of an attached device than was built: none of them counts', () => {
    for (const [hardware, why] of [
      [hbom({ serial: 'NR0002', takenAt: IN_RUN }), 'serial NR0002'],
      [hbom({ bios: '3.0', takenAt: IN_RUN }), 'BIOS 3.0'],
      [hbom({ attached: [camera('OK-1')], takenAt: IN_RUN }), 'new: Okulo VX-8'],
    ] as const) {
      const it = lane();
      it.tests(junit(3), { ...RUN, hardware });
      expect(it.check('hardware')).toMatchObject(unqualified(why));
    }
    const swapped = lane({}, at('OK-1'));
    swapped.tests(junit(3), { ...RUN, hardware: at('OK-2', IN_RUN) });
    expect(swapped.check('hardware')).toMatchObject(unqualified('gone: Okulo VX-8 Dome HW 1.2, serial OK-1'));
  });

  test('policy may allow it', () => {
    const it = lane({ drift: 'allow' });
    it.tests(junit(3), { ...RUN, hardware: hbom({ bios: '3.0', takenAt: IN_RUN }) });
    it.fleet = [{ site: 'a', hardware: foundHardware(hbom({ bios: '3.0' })), reportedAt: null }];
    expect(it.check('hardware').verdict).toBe('pass');
  });

  test('a rebuild may bring other firmware, but no other units', () => {
    const firmware = lane();
    firmware.rebuild('rig-1', hbom({ bios: '3.0' }));
    firmware.tests(junit(3), { ...RUN, hardware: hbom({ bios: '3.0', takenAt: IN_RUN }) });
    firmware.fleet = [{ site: 'a', hardware: foundHardware(hbom({ bios: '3.0' })), reportedAt: null }];
    expect(firmware.check('hardware').verdict).toBe('pass');
    const units = lane();
    units.rebuild('rig-1', hbom({ serial: 'NR0002' }));
    units.tests(junit(3), { ...RUN, hardware: hbom({ serial: 'NR0002', takenAt: IN_RUN }) });
    expect(units.check('hardware')).toMatchObject(unqualified('other units than it was enrolled with'));
  });

  test('a record whose inventory is gone, altered, or knows no serial number vouches for nothing', () => {
    const gone = lane();
    gone.tests(junit(3), RUN);
    for (const digest of gone.blobs.keys()) {
      if (JSON.stringify(hbom()) === new TextDecoder().decode(gone.blobs.get(digest))) gone.blobs.delete(digest);
    }
    expect(gone.check('hardware')).toMatchObject({ verdict: 'fail', code: 'CONTENT_MISSING' });
    const nameless = lane({}, hbom({ serial: 'n/a' }));
    nameless.tests(junit(3), { ...RUN, hardware: hbom({ serial: 'n/a', takenAt: IN_RUN }) });
    expect(nameless.check('hardware')).toMatchObject(unqualified('does not know the serial number'));
  });
});

describe('recalls', () => {
  const rig = { rig: 'rig-1', keyId: keyOf('rig-1') };
  const recalled = unqualified('was recalled: loose cable');

  test.each([
    ['the rig', rig],
    ['its class', { class: hardwareClass(hardwareFacts(hbom())) }],
    ['its unit', { serial: 'NR0001' }],
  ])('of %s reopens what was tested there, whenever it is logged', (_, thing) => {
    const it = lane();
    it.tests(junit(3), RUN);
    expect(it.check('hardware').verdict).toBe('pass');
    const recall = it.recall(thing);
    expect(it.check('hardware')).toMatchObject({ ...recalled, evidence: [recall] });
  });

  test('of an attached device reopens it too', () => {
    for (const thing of [
      { serial: 'OK-1' },
      { class: hardwareClass({ vendor: 'Okulo', model: 'VX-8 Dome', revision: 'HW 1.2', firmware: { firmware: '10.12' }, parts: [] }) },
    ]) {
      const inventory = (takenAt?: string) => hbom({ attached: [attached('camera')], ...(takenAt === undefined ? {} : { takenAt }) });
      const it = lane({}, inventory());
      it.tests(junit(3), { ...RUN, hardware: inventory(IN_RUN) });
      expect(it.check('hardware').verdict).toBe('pass');
      it.recall(thing);
      expect(it.check('hardware')).toMatchObject(recalled);
    }
  });

  test('of another rig, class or unit, or by another key than the registrar’s, changes nothing', () => {
    const it = lane();
    it.tests(junit(3), RUN);
    it.recall({ rig: 'rig-2', keyId: keyOf('rig-2') });
    it.recall({ class: digestOf('other') });
    it.recall({ serial: 'NR0002' });
    for (const key of ['lab', 'rig-1', 'stranger', 'prod']) it.recall(rig, { key });
    expect(it.check('hardware').verdict).toBe('pass');
  });

  test('takes a log index, like the revocation of a key: what was logged below it stands', () => {
    const it = lane();
    it.tests(junit(3), RUN);
    const { logIndex } = it.statements.at(-1)!;
    it.recall(rig, { untilIndex: logIndex + 1 });
    expect(it.check('hardware').verdict).toBe('pass');
    it.recall(rig, { untilIndex: logIndex });
    expect(it.check('hardware')).toMatchObject(recalled);
  });

  test('stands against runs of later, until the registrar enrols the rig again', () => {
    const it = lane();
    it.recall(rig);
    it.tests(junit(3), RUN);
    expect(it.check('hardware')).toMatchObject(recalled);
    it.rig('rig-1', hbom(), { builtAt: '2026-11-21T09:00:00Z' });
    expect(it.check('hardware')).toMatchObject(recalled);
    it.tests(junit(4), RUN);
    expect(it.check('hardware').verdict).toBe('pass');
  });

  test('takes a failure away as well: a broken rig says nothing', () => {
    const it = lane();
    it.rig('rig-2', hbom({ serial: 'NR0002' }));
    it.tests(junit(3), { ...RUN, key: 'rig-2', hardware: hbom({ serial: 'NR0002', takenAt: IN_RUN }) });
    it.tests(junit(2, 1), RUN);
    expect(it.check('hardware').verdict).toBe('fail');
    it.recall(rig);
    expect(it.check('hardware')).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('1 of 1 site covered') as string });
  });

  test('holds for the runs of labs too, where rigs are not required', () => {
    const it = new GateLane(gate('hardware'));
    it.tests(junit(3), { hardware: hbom() });
    it.recall({ serial: 'NR0001' });
    expect(it.check('hardware')).toMatchObject(recalled);
  });

  test('in a form that cannot be read counts from the start of the log', () => {
    const it = lane();
    it.tests(junit(3), RUN);
    it.recall(rig, { untilIndex: 1_000_000 });
    const { statement, ...rest } = it.statements.pop()!;
    it.statements.push({ ...rest, statement: { ...statement, predicate: { since: 'always' } } });
    expect(it.check('hardware')).toMatchObject(unqualified('was recalled: no reason given'));
  });
});

test('rebuiltWithinDays without rigs: required is refused: it would say more than it does', () => {
  const it = new GateLane(gate('hardware', { rebuiltWithinDays: 3 }));
  expect(it.check('hardware')).toMatchObject({
    verdict: 'error',
    actual: expect.stringContaining('rebuiltWithinDays needs rigs: required') as string,
  });
});
