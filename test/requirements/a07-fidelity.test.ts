/** A7: each declared dependency was tested as real as its criticality asks; what is not declared refuses. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSite } from '../support/site.js';
import { checkOf, makeParityLane, type ParityLane } from './parity-lane.js';

const DECLARES = `dependencies:
  - { name: plc, criticality: high }
  - { name: weather, criticality: low }
`;
const fidelity = (plc: string, more = ''): string => `apiVersion: sealane/v1
kind: Fidelity
dependencies:
  - { name: plc, ${plc} }
  - { name: weather, rung: mock, data: synthetic }
${more}`;

let it: ParityLane;
beforeAll(async () => {
  it = await makeParityLane('      - use: fidelity\n');
});
afterAll(async () => {
  await it.stop();
});

test('A7 a release is held to the rung of each dependency that it declares, by its criticality, at the promoter and at the site', async () => {
  const { lane } = it;
  const release = await it.release('1.0.0', DECLARES);
  await it.throughPreprod(release);
  const none = checkOf(await it.promote(release, 3), 'fidelity');
  expect(none).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_FIDELITY', actual: 'no passing test result with fidelity' });

  await it.tests(release, 'twin', { fidelity: fidelity('rung: partial, data: real') });
  const mocked = checkOf(await it.promote(release, 3), 'fidelity');
  expect(mocked.actual).toBe('plc (high): expected hardware with real data, tested partial with real data');

  await it.tests(release, 'bench', { fidelity: fidelity('rung: hardware, data: real') });
  expect(await it.promote(release)).toMatchObject({ decision: 'passed' });
  const site = await enrolSite(lane, path.join(lane.dir, 'site'));
  try {
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
  } finally {
    await site.stop();
  }
});

test('A7 a dependency that a run met and the release does not declare refuses, and so does a release that declares none', async () => {
  const release = await it.release('1.1.0', DECLARES);
  await it.throughPreprod(release);
  await it.tests(release, 'bench', { fidelity: fidelity('rung: hardware, data: real', '  - { name: gps, rung: hardware, data: real }\n') });
  expect(checkOf(await it.lane.sealane(['plan', release, '--to', 'prod'], 3), 'fidelity')).toMatchObject({
    verdict: 'fail',
    actual: 'gps is not declared by the release',
  });
  const silent = await it.release('1.2.0');
  await it.throughPreprod(silent);
  await it.tests(silent, 'bench', { fidelity: fidelity('rung: hardware, data: real') });
  expect(checkOf(await it.lane.sealane(['plan', silent, '--to', 'prod'], 3), 'fidelity')).toMatchObject({
    verdict: 'fail',
    actual: 'the release does not declare its dependencies',
  });
});

test('A7 a file that is no fidelity is refused with the line, and nothing is logged', async () => {
  const release = await it.release('1.3.0', DECLARES);
  const before = await it.lane.sealane(['evidence', 'list', release]);
  const answer = await it.tests(release, 'bench', { fidelity: fidelity('rung: twin, data: real') }, 2);
  expect(answer.error).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('fidelity.yaml:4:18: dependencies.0.rung') as string,
  });
  await it.lane.sealane(['evidence', 'add', release, '--fidelity', it.file('f.yaml', ''), '--key', 'lab'], 2);
  expect(await it.lane.sealane(['evidence', 'list', release])).toEqual(before);
});
