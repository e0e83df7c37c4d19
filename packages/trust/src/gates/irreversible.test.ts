import { describe, expect, test } from 'vitest';
import type { PolicyGate } from '../policy/policy-types.js';
import { digestOf, gate, GateLane } from '../testing/gate-lane.js';

const ID = 'irreversible';

function oneWay(...gates: readonly PolicyGate[]): GateLane {
  const it = new GateLane(...gates);
  it.irreversible = true;
  it.components = [{ name: 'bmc', kind: 'firmware', digest: digestOf('bmc'), oneWay: true }];
  return it;
}

describe('irreversible gate', () => {
  test('a stage that does not name it takes no release without a way back, and any other', () => {
    expect(oneWay(gate('approvals', { count: 1 })).check(ID)).toMatchObject({
      verdict: 'fail',
      code: 'RELEASE_IRREVERSIBLE',
      actual: 'no way back from bmc',
    });
    expect(oneWay().check(ID)).toMatchObject({ verdict: 'fail', code: 'RELEASE_IRREVERSIBLE' });
    expect(() => new GateLane().check(ID)).toThrow(RangeError);
    expect(new GateLane(gate(ID, { count: 2 })).check(ID)).toMatchObject({ verdict: 'pass', evidence: [] });
  });

  test('an approval that does not say that there is no way back is not counted, one that does is', () => {
    const it = oneWay(gate(ID, { count: 1 }));
    it.approve('alice');
    expect(it.check(ID)).toMatchObject({ verdict: 'pending', remedy: expect.stringMatching(/ --irreversible$/) as string });
    const approval = it.approve('bob', { irreversible: true });
    expect(it.check(ID)).toMatchObject({ verdict: 'pass', evidence: [approval] });
  });

  test('people are counted, not keys, and not author, tester or promoter', () => {
    const it = oneWay(gate(ID, { count: 2 }));
    it.approve('alice', { irreversible: true });
    it.approve('alice', { key: 'alice2', irreversible: true });
    it.approve('carol', { key: 'lab', irreversible: true });
    it.approve('carol', { key: 'prod', irreversible: true });
    expect(it.check(ID)).toMatchObject({ verdict: 'pending' });
    it.approve('bob', { irreversible: true });
    expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
  });

  test('a later plain approval does not take it back, a rejection does; an expired one counts for nothing', () => {
    const it = oneWay(gate(ID, { count: 1 }));
    it.approve('alice', { irreversible: true });
    it.approve('alice');
    expect(it.check(ID)).toMatchObject({ verdict: 'pass' });
    it.approve('alice', { verdict: 'reject' });
    expect(it.check(ID)).toMatchObject({ verdict: 'pending' });
    it.approve('bob', { irreversible: true, expiresAt: '2026-11-24T10:00:00Z' });
    expect(it.check(ID)).toMatchObject({ verdict: 'pending' });
  });

  test('0 takes such releases without a person, and no setting takes none', () => {
    expect(oneWay(gate(ID, { count: 0 })).check(ID)).toMatchObject({ verdict: 'pass' });
    expect(oneWay(gate(ID)).check(ID)).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
  });
});
