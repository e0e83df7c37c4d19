import { describe, expect, test } from 'vitest';
import { evaluateGates } from './index.js';
import { digestOf, gate, GateLane, keyOf, RELEASE } from '../testing/gate-lane.js';

function empty(): GateLane {
  const lane = new GateLane(gate('soak', { hours: 1 }));
  lane.statements.length = 0;
  return lane;
}

describe('stage order', () => {
  test('passes when each stage has decided, in order', () => {
    expect(new GateLane().check('stage-order')).toMatchObject({ verdict: 'pass', actual: 'passed dev, edge-preprod' });
  });

  test('a first stage has nothing before it', () => {
    const lane = empty();
    lane.policy = { ...lane.policy, stage: 'dev', chain: lane.policy.chain.slice(0, 1) };
    const checks = evaluateGates({ ...lane.input(), stage: 'dev' });
    expect(checks).toMatchObject([
      { id: 'stage-order', verdict: 'pass', actual: 'dev is a first stage' },
      { id: 'soak', verdict: 'fail', actual: 'dev takes from no stage' },
    ]);
  });

  test('nothing decided, only dev decided, and only preprod decided all refuse', () => {
    const lane = empty();
    expect(lane.check('stage-order')).toMatchObject({
      verdict: 'fail',
      code: 'WAYBILL_STAGE_ORDER',
      remedy: `sealane promote ${RELEASE} --to dev`,
    });
    lane.decide('dev', null);
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_STAGE_ORDER', actual: 'edge-preprod: no decision' });
    const skipped = empty();
    skipped.decide('edge-preprod', 'dev');
    expect(skipped.check('stage-order')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_STAGE_ORDER', actual: 'dev: no decision' });
  });

  test('decisions in the wrong order refuse', () => {
    const lane = empty();
    lane.decide('edge-preprod', 'dev');
    lane.decide('dev', null);
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_STAGE_ORDER' });
  });

  test.each([
    ['FAILED', { result: 'FAILED' }, 'WAYBILL_STAGE_ORDER'],
    ['of another lane', { lane: 'other.example' }, 'WAYBILL_STAGE_ORDER'],
    ['that names another release', { release: digestOf('other') }, 'WAYBILL_SUBJECT'],
    ['by the key of dev', { key: 'dev' }, 'WAYBILL_SIGNATURE'],
    ['by a stranger', { key: 'stranger' }, 'WAYBILL_SIGNATURE'],
  ] as const)('a decision of preprod %s does not count', (_, change, code) => {
    const lane = empty();
    lane.decide('dev', null);
    lane.decide('edge-preprod', 'dev', change);
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', code });
  });

  test('a decision that skipped a stage does not count: preprod from nowhere', () => {
    const lane = empty();
    lane.decide('dev', null);
    lane.decide('edge-preprod', null);
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_STAGE_ORDER' });
  });

  test("dev's key cannot speak for preprod by signing a decision of preprod", () => {
    const lane = empty();
    lane.decide('dev', null);
    lane.decide('dev', 'dev', { claim: 'edge-preprod' });
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_SIGNATURE' });
  });

  test('a decision logged at or after the index at which its key was revoked does not count', () => {
    const lane = new GateLane();
    const key = { spki: 'AAAA', origin: 'lane.example', fromIndex: 0, untilIndex: 2, reason: 'stolen' };
    lane.policy = { ...lane.policy, keys: { ...lane.policy.keys, [keyOf('edge-preprod')]: key } };
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', code: 'KEY_REVOKED' });
    lane.policy = { ...lane.policy, keys: { ...lane.policy.keys, [keyOf('edge-preprod')]: { ...key, untilIndex: 3 } } };
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'pass' });
  });

  test('a decision that no quorum has seen is pending', () => {
    const lane = empty();
    lane.decide('dev', null);
    lane.decide('edge-preprod', 'dev', { witnessed: null });
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'pending', code: 'LOG_WITNESS' });
  });

  test('where a stage takes from two, both must have decided', () => {
    const lane = new GateLane();
    const [dev, preprod] = lane.policy.chain;
    const lab = { stage: 'field-lab', from: ['dev'], keys: [keyOf('lab')] };
    lane.policy = {
      ...lane.policy,
      chain: [dev!, preprod!, lab, { stage: 'prod', from: ['edge-preprod', 'field-lab'], keys: [keyOf('prod')] }],
    };
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail', actual: 'field-lab: no decision' });
    lane.decide('field-lab', 'dev', { key: 'lab' });
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'pass' });
  });

  test('the policy of one stage does not judge another', () => {
    const lane = new GateLane();
    lane.policy = { ...lane.policy, stage: 'edge-preprod' };
    expect(lane.check('stage-order')).toMatchObject({ verdict: 'fail' });
  });
});

describe('soak', () => {
  const soaked = (settings: Record<string, string | number>, witnessed: string | null, now: { lowest: string; highest: string }) => {
    const lane = new GateLane(gate('soak', settings));
    lane.statements.length = 0;
    lane.decide('dev', null, { witnessed: '2026-11-20T00:00:00Z' });
    lane.decide('edge-preprod', 'dev', { witnessed });
    lane.time = now;
    return lane.check('soak');
  };
  const at = (time: string) => ({ lowest: time, highest: time });

  test('is pending with the earliest time until it is over, to the second', () => {
    expect(soaked({ hours: 24 }, '2026-11-24T10:00:00Z', at('2026-11-25T09:59:59Z'))).toMatchObject({
      verdict: 'pending',
      code: 'WAYBILL_SOAK',
      earliest: '2026-11-25T10:00:00Z',
      actual: '86399 s so far',
    });
    expect(soaked({ hours: 24 }, '2026-11-24T10:00:00Z', at('2026-11-25T10:00:00Z'))).toMatchObject({ verdict: 'pass' });
  });

  test('one witness whose clock is ahead does not end it', () => {
    expect(
      soaked({ seconds: 60 }, '2026-11-24T10:00:00Z', { lowest: '2026-11-24T10:00:30Z', highest: '2026-12-24T10:00:00Z' }),
    ).toMatchObject({ verdict: 'pending' });
  });

  test('one witness whose clock is behind does not shorten it', () => {
    const lane = new GateLane(gate('soak', { minutes: 10 }));
    const decision = lane.statements.at(-1)!;
    lane.statements.pop();
    lane.statements.push({ ...decision, witnessed: { lowest: '2020-01-01T00:00:00Z', highest: '2026-11-24T10:00:00Z' } });
    lane.time = at('2026-11-24T10:05:00Z');
    expect(lane.check('soak')).toMatchObject({ verdict: 'pending', earliest: '2026-11-24T10:10:00Z' });
  });

  test('a witnessed time before the decision counts as nothing, not as a credit', () => {
    expect(soaked({ seconds: 1 }, '2026-11-24T10:00:00Z', at('2020-01-01T00:00:00Z'))).toMatchObject({
      verdict: 'pending',
      actual: '0 s so far',
    });
  });

  test('a decision that is not witnessed has not begun', () => {
    expect(soaked({ seconds: 1 }, null, at('2026-11-24T10:00:00Z'))).toMatchObject({ verdict: 'pending', code: 'LOG_WITNESS' });
  });

  test('may ask for another stage, but only one that is before this', () => {
    expect(soaked({ hours: 24, stage: 'dev' }, '2026-11-24T10:00:00Z', at('2026-11-24T10:00:01Z'))).toMatchObject({ verdict: 'pass' });
    expect(soaked({ hours: 24, stage: 'prod' }, '2026-11-24T10:00:00Z', at('2027-11-24T10:00:01Z'))).toMatchObject({
      verdict: 'fail',
      code: 'WAYBILL_STAGE_ORDER',
    });
    expect(soaked({ hours: 24, stage: 'nowhere' }, '2026-11-24T10:00:00Z', at('2027-11-24T10:00:01Z'))).toMatchObject({ verdict: 'fail' });
  });

  test('without a decision before, it fails', () => {
    const lane = new GateLane(gate('soak', { hours: 1 }));
    lane.statements.length = 0;
    expect(lane.check('soak')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_STAGE_ORDER' });
  });
});
