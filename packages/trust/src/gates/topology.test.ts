import type { JsonObject } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { checkTopology, type Topology, topologyShape } from '../reports/topology.js';
import { junit } from '../testing/gate-documents.js';
import { gate, GateLane } from '../testing/gate-lane.js';
import { testTraps } from '../testing/run-document-traps.js';

const plant: Topology = {
  apiVersion: 'sealane/v1',
  kind: 'Topology',
  zones: ['plant', 'dmz'],
  nodes: [
    { role: 'gateway', tier: 'edge', zone: 'dmz', storage: 'ssd', count: 1 },
    { role: 'plc', tier: 'device', zone: 'plant', storage: 'none' },
  ],
  flows: [{ from: 'plant', to: 'dmz', protocol: 'tcp', port: 1883 }],
  ingress: [{ name: 'web', node: 'gateway', protocol: 'https', port: 443 }],
  services: [
    { name: 'bus', kind: 'broker', product: 'mosquitto 2.0', node: 'gateway', links: ['lte'] },
    { name: 'history', kind: 'database', product: 'sqlite 3.45', node: 'gateway', links: ['bus'] },
  ],
  uplinks: [{ name: 'lte', zone: 'dmz', kind: 'lte' }],
};

const site = (name: string, topology?: Topology) => ({
  site: name,
  hardware: null,
  reportedAt: null,
  ...(topology === undefined ? {} : { topology }),
});
const lte = {
  path: 'uplinks.lte.kind',
  tested: 'lte',
  site: 'satellite',
  reason: 'no mast there',
  owner: 'alice',
  expiresAt: '2026-12-01T00:00:00Z',
};
const satellite: Topology = { ...plant, uplinks: [{ name: 'lte', zone: 'dmz', kind: 'satellite' }] };

function lane(settings: JsonObject = {}, fleet = [site('a', plant)]): GateLane {
  const it = new GateLane(gate('topology', settings));
  it.fleet = fleet;
  return it;
}

function tested(settings: JsonObject = {}, fleet = [site('a', plant)], topology: Topology = plant): GateLane {
  const it = lane(settings, fleet);
  it.tests(junit(3), { documents: { topology } });
  return it;
}

describe('topology gate', () => {
  testTraps({ id: 'topology', kind: 'topology', code: 'EVIDENCE_TOPOLOGY', lane, good: plant });

  test.each<[string, Partial<Topology>, string]>([
    [
      'node role',
      { nodes: [...plant.nodes, { role: 'camera', tier: 'device', zone: 'plant', storage: 'none' }] },
      'nodes.camera: tested absent, there present',
    ],
    ['tier', { nodes: plant.nodes.map((node) => ({ ...node, tier: 'cell' })) }, 'nodes.gateway.tier: tested edge, there cell'],
    [
      'storage class',
      { nodes: plant.nodes.map((node) => ({ ...node, storage: 'emmc' })) },
      'nodes.gateway.storage: tested ssd, there emmc',
    ],
    ['zone of a node', { nodes: plant.nodes.map((node) => ({ ...node, zone: 'dmz' })) }, 'nodes.plc.zone: tested plant, there dmz'],
    [
      'count that only one side says',
      { nodes: plant.nodes.map((node) => ({ ...node, count: 2 })) },
      'nodes.plc.count: tested absent, there 2',
    ],
    ['zone', { zones: [...plant.zones, 'office'] }, 'zones.office: tested absent, there present'],
    ['permitted flow', { flows: [] }, 'flows.plant>dmz.tcp/1883: tested present, there absent'],
    [
      'ingress',
      { ingress: [{ name: 'web', node: 'gateway', protocol: 'http', port: 80 }] },
      'ingress.web.protocol: tested https, there http',
    ],
    [
      'broker',
      { services: plant.services.map((each) => ({ ...each, product: 'nanomq' })) },
      'services.bus.product: tested mosquitto 2.0, there nanomq',
    ],
    [
      'kind of a service',
      { services: plant.services.map((each) => ({ ...each, kind: 'cache' })) },
      'services.history.kind: tested database, there cache',
    ],
    [
      'link of a database',
      { services: plant.services.map((each) => ({ ...each, links: [] })) },
      'services.history.links.bus: tested present, there absent',
    ],
    [
      'uplink',
      { uplinks: [...plant.uplinks, { name: 'fibre', zone: 'dmz', kind: 'fibre' }] },
      'uplinks.fibre: tested absent, there present',
    ],
  ])('refuses another %s at the site and names it by path', (_, change, line) => {
    const it = tested({}, [site('a', plant), site('b', { ...plant, ...change })]);
    expect(it.check('topology')).toMatchObject({
      verdict: 'fail',
      code: 'EVIDENCE_TOPOLOGY',
      actual: expect.stringContaining(`${line} (b)`) as string,
    });
  });

  test('takes a difference that is declared for exactly these values, until it expires at the witnessed time', () => {
    const fleet = [site('a', satellite)];
    expect(tested({ differences: [lte] }, fleet).check('topology')).toMatchObject({ verdict: 'pass' });
    for (const other of [
      { site: 'fibre' },
      { tested: 'nr' },
      { path: 'uplinks.lte' },
      { site: null },
      { expiresAt: '2026-11-24T10:00:00Z' },
    ])
      expect(tested({ differences: [{ ...lte, ...other }] }, fleet).check('topology'), JSON.stringify(other)).toMatchObject({
        verdict: 'fail',
      });
  });

  test('holds a site to the tested topology that is nearest to its own', () => {
    const it = tested({}, [site('a', plant), site('b', satellite)]);
    expect(it.check('topology')).toMatchObject({ verdict: 'fail' });
    it.tests(junit(3), { suite: 'at sea', documents: { topology: satellite } });
    expect(it.check('topology')).toMatchObject({ verdict: 'pass', actual: '2 of 2 sites stand as tested' });
  });

  test('leaves sites of unknown topology out and names them, or refuses them; some site must be left', () => {
    const some = [site('a', plant), site('b')];
    expect(tested({}, some).check('topology')).toMatchObject({ verdict: 'pass', actual: '1 of 2 sites stand as tested; not known: b' });
    expect(tested({ unknown: 'refuse' }, some).check('topology')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_TOPOLOGY' });
    expect(tested({}, [site('b')]).check('topology')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_TOPOLOGY' });
    expect(tested({}, []).check('topology')).toMatchObject({ verdict: 'pass' });
    expect(tested({ unknown: 'refuse' }, []).check('topology')).toMatchObject({ verdict: 'fail' });
  });

  test.each([
    ['a difference without a reason', { differences: [{ ...lte, reason: '' }] }],
    ['a difference without an owner', { differences: [{ ...lte, owner: undefined }] }],
    ['a difference without an end', { differences: [{ ...lte, expiresAt: undefined }] }],
    ['an unknown setting', { ignore: ['uplinks'] }],
  ])('cannot be judged with %s', (_, settings) => {
    expect(tested(JSON.parse(JSON.stringify(settings)) as JsonObject).check('topology')).toMatchObject({
      verdict: 'error',
      code: 'GATE_ERROR',
    });
  });

  test('an error at a site with many differences names as many as a decision can hold', () => {
    const many = { ...plant, uplinks: Array.from({ length: 200 }, (_, at) => ({ name: `uplink-${at}`, zone: 'dmz', kind: 'lte' })) };
    const { actual, verdict } = tested({}, [site('a', { ...many, services: [] })]).check('topology');
    expect({ verdict, length: actual.length <= 2000 }).toEqual({ verdict: 'fail', length: true });
  });
});

describe('a topology', () => {
  test.each<[string, Partial<Topology>]>([
    ['a role twice', { nodes: [...plant.nodes, ...plant.nodes] }],
    ['a node in a zone that is not there', { zones: ['dmz'] }],
    ['an ingress to a node that is not there', { ingress: [{ name: 'web', node: 'server', protocol: 'https', port: 443 }] }],
    ['a link to nothing', { uplinks: [] }],
    ['an uplink of the name of a service', { uplinks: [...plant.uplinks, { name: 'bus', zone: 'dmz', kind: 'lte' }] }],
    ['a flow twice', { flows: [...plant.flows, ...plant.flows] }],
  ])('with %s is refused', (_, change) => {
    expect(() => checkTopology({ ...plant, ...change })).toThrow(expect.objectContaining({ code: 'TRUST_MALFORMED' }));
  });

  test.each(Object.keys(plant))('without %s has another shape: what is not said is not known', (key) => {
    expect(topologyShape.safeParse(plant).success).toBe(true);
    const others = Object.fromEntries(Object.entries(plant).filter(([name]) => name !== key));
    expect(topologyShape.safeParse(others).success).toBe(false);
  });
});
