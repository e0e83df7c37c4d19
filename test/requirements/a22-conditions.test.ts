/** A22: what was measured under each link profile is within its bounds; a missing number refuses. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSite } from '../support/site.js';
import { checkOf, makeParityLane, type ParityLane } from './parity-lane.js';

const GATE = `      - use: conditions
        with:
          profiles:
            - profile: lte-worst
              latencyMs: { p50: 50, p95: 150, p99: 300 }
              jitterMs: 20
              lossPercent: 0.5
              retransmitPercent: 2
              failoverMs: 1000
`;
const measured = (change: Readonly<Record<string, string | undefined>> = {}): string => {
  const usual: Readonly<Record<string, string | undefined>> = {
    profile: 'lte-worst',
    samples: '2000',
    latencyMs: '{ p50: 40, p95: 120, p99: 300 }',
    jitterMs: '12.5',
    lossPercent: '0.4',
    retransmitPercent: '1.5',
    failoverMs: '900',
  };
  const fields = Object.entries({ ...usual, ...change }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]));
  return `apiVersion: sealane/v1\nkind: Conditions\nprofiles: [{ ${fields.join(', ')} }]\n`;
};

let it: ParityLane;
beforeAll(async () => {
  it = await makeParityLane(GATE);
});
afterAll(async () => {
  await it.stop();
});

test('A22 each number is held to its bound at the promoter, the last measurement counts, and a site judges it again', async () => {
  const release = await it.release('1.0.0');
  await it.throughPreprod(release);
  expect(checkOf(await it.promote(release, 3), 'conditions')).toMatchObject({ actual: 'no passing test result with conditions' });
  await it.tests(release, 'link', { conditions: measured({ failoverMs: '1500', lossPercent: '2' }) });
  expect(checkOf(await it.promote(release, 3), 'conditions')).toMatchObject({
    code: 'EVIDENCE_CONDITIONS',
    actual: 'lte-worst: lossPercent 2, at most 0.5; lte-worst: failoverMs 1500, at most 1000',
  });
  await it.tests(release, 'link', { conditions: measured({ failoverMs: 'null' }) });
  expect(checkOf(await it.promote(release, 3), 'conditions').actual).toBe('lte-worst: failoverMs was not measured');
  await it.tests(release, 'link', { conditions: measured() });
  expect(await it.promote(release)).toMatchObject({ decision: 'passed' });
  const site = await enrolSite(it.lane, path.join(it.lane.dir, 'site'));
  try {
    const offered = await site.must(['check']);
    expect(offered).toMatchObject({ outcome: 'available', release });
    expect(checkOf(offered, 'conditions')).toMatchObject({ verdict: 'pass' });
  } finally {
    await site.stop();
  }
});

test.each([
  ['a missing number', { jitterMs: undefined }, /profiles\.0\.jitterMs/],
  ['NaN', { jitterMs: '.nan' }, /profiles\.0\.jitterMs/],
  ['an infinite number', { jitterMs: '.inf' }, /profiles\.0\.jitterMs/],
  ['a negative number', { lossPercent: '-1' }, /profiles\.0\.lossPercent/],
  ['another unit', { jitterMs: undefined, jitterSeconds: '0.01' }, /profiles\.0/],
  ['a number as text', { failoverMs: "'900 ms'" }, /profiles\.0\.failoverMs/],
  ['no sample', { samples: '0' }, /profiles\.0\.samples/],
])('A22 measurements with %s are refused with the line', async (what, change, place) => {
  const release = await it.release(`2.0.0-${what.replace(/ /g, '-')}`);
  const answer = await it.tests(release, 'link', { conditions: measured(change) }, 2);
  expect(answer.error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(place) as string });
});
