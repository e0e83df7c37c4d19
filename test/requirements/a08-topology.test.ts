/** A8: the sites stand as the release was tested, but for differences that policy declares with reason, owner and expiry. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSite, type TestSite } from '../support/site.js';
import { checkOf, makeParityLane, type ParityLane } from './parity-lane.js';

const topology = ({
  uplink = 'lte',
  product = 'mosquitto 2.0',
  flows = '{ from: cell, to: dmz, protocol: tcp, port: 1883 }',
} = {}): string => `apiVersion: sealane/v1
kind: Topology
zones: [cell, dmz]
nodes:
  - { role: gateway, tier: edge, zone: dmz, storage: ssd }
  - { role: plc, tier: device, zone: cell, storage: none }
flows: [${flows}]
ingress: [{ name: web, node: gateway, protocol: https, port: 443 }]
services:
  - { name: bus, kind: broker, product: ${product}, node: gateway, links: [wan] }
  - { name: history, kind: database, product: sqlite 3.45, node: gateway, links: [bus] }
uplinks: [{ name: wan, zone: dmz, kind: ${uplink} }]
`;
const declared = (site: string, expiresAt: string): string =>
  `with: { differences: [{ path: uplinks.wan.kind, tested: lte, site: ${site}, reason: no mast there, owner: alice, expiresAt: '${expiresAt}' }] }`;

let it: ParityLane;
let site: TestSite;
beforeAll(async () => {
  it = await makeParityLane('      - use: topology\n        with: {}\n');
  const file = it.file('site.yaml', topology({ uplink: 'satellite', flows: '' }));
  site = await enrolSite(it.lane, path.join(it.lane.dir, 'site'), { topology: file });
});
afterAll(async () => {
  await site.stop();
  await it.stop();
});

/** The registrar describes the site anew, and the site takes the record. */
async function describeAnew(text: string): Promise<void> {
  const record = path.join(site.dir, 'record.json');
  const words = [
    'site',
    'add',
    path.join(site.dir, 'request.json'),
    '--stage',
    'prod',
    '--label',
    'region=north',
    '--key',
    'registrar',
    '--out',
    record,
  ];
  await it.lane.sealane([...words, '--topology', it.file('anew.yaml', text)]);
  await site.must(['enroll', '--record', record, '--root', path.join(it.lane.lane, 'trust', 'metadata', '1.root.json')]);
}

test('A8 a release is refused for each difference that nobody declared, by its path; a declared one is let through until it expires', async () => {
  const release = await it.release('1.0.0');
  await it.throughPreprod(release);
  expect(checkOf(await it.promote(release, 3), 'topology')).toMatchObject({ actual: 'no passing test result with topology' });

  await it.tests(release, 'plant', { topology: topology() });
  expect(checkOf(await it.promote(release, 3), 'topology')).toMatchObject({
    verdict: 'fail',
    code: 'EVIDENCE_TOPOLOGY',
    actual: 'flows.cell>dmz.tcp/1883: tested present, there absent (harbour-7); uplinks.wan.kind: tested lte, there satellite (harbour-7)',
    remedy: expect.stringContaining('reason, owner and expiresAt') as string,
  });

  await describeAnew(topology({ uplink: 'satellite' }));
  await it.amend('with: {}', declared('satellite', '2020-01-01T00:00:00Z'));
  expect(checkOf(await it.promote(release, 3), 'topology').actual).toBe('uplinks.wan.kind: tested lte, there satellite (harbour-7)');
  await it.amend(declared('satellite', '2020-01-01T00:00:00Z'), declared('satellite', '2099-01-01T00:00:00Z'));
  expect(await it.promote(release)).toMatchObject({ decision: 'passed' });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
});

test('A8 a site that stands otherwise by its own record refuses what the promoter let through', async () => {
  const release = await it.release('1.1.0');
  await it.throughPreprod(release);
  await it.tests(release, 'plant', { topology: topology() });
  expect(await it.promote(release)).toMatchObject({ decision: 'passed' });
  await describeAnew(topology({ uplink: 'satellite', product: 'nanomq 0.22' }));
  const refused = await site.must(['update'], 3);
  expect(refused).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_TOPOLOGY' });
  expect(checkOf(refused, 'topology').actual).toBe('services.bus.product: tested mosquitto 2.0, there nanomq 0.22 (harbour-7)');
});

test('A8 a topology that leaves a section out, or names what it does not describe, is refused with the place', async () => {
  const release = await it.release('1.2.0');
  const without = await it.tests(
    release,
    'plant',
    {
      topology: topology()
        .replace(/^uplinks.*\n/m, '')
        .replace('links: [wan]', 'links: []'),
    },
    2,
  );
  expect(without.error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(/topology\.yaml:1:1: uplinks/) as string });
  const dangling = await it.tests(release, 'plant', { topology: topology().replace('links: [wan]', 'links: [modem]') }, 2);
  expect(dangling.error.message).toContain('expected a service or uplink that is described, got modem');
});
