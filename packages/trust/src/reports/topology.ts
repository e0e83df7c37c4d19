/**
 * Topology: what stands where and may talk to what, of the set-up in which tests ran and of a site. Both are described in the same words, so that they
 * can be compared; each section has to be there, since what was left out is not known to be the same.
 */
import { TrustError } from '@sealane/core';
import { z } from 'zod';
import { parseDocument } from '../policy/document.js';
import { nameShape, textShape } from '../policy/shapes.js';

/** A kind of node: the tier and zone it stands in, its storage class, and how many there are where that matters. */
export type TopologyNode = {
  readonly role: string;
  readonly tier: string;
  readonly zone: string;
  readonly storage: string;
  readonly count?: number;
};

/** Traffic that is permitted between two zones; without a port, all of the protocol. */
export type TopologyFlow = {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port?: number;
};

/** A way in from outside, and the node that it leads to. */
export type TopologyIngress = {
  readonly name: string;
  readonly node: string;
  readonly protocol: string;
  readonly port: number;
};

/** A broker, cache or local database, the node it runs on, and the services and uplinks that it is linked with. */
export type TopologyService = {
  readonly name: string;
  readonly kind: 'broker' | 'cache' | 'database';
  readonly product: string;
  readonly node: string;
  readonly links: readonly string[];
};

/** A way out of the site, such as `lte` or `fibre`, and the zone that has it. */
export type TopologyUplink = {
  readonly name: string;
  readonly zone: string;
  readonly kind: string;
};

/** The description. */
export type Topology = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Topology';
  readonly zones: readonly string[];
  readonly nodes: readonly TopologyNode[];
  readonly flows: readonly TopologyFlow[];
  readonly ingress: readonly TopologyIngress[];
  readonly services: readonly TopologyService[];
  readonly uplinks: readonly TopologyUplink[];
};

/** A site record carries one: it must stay far below a statement's bound. */
const MAX_TOPOLOGY_BYTES = 256 * 1024;
/** Most entries of one section. */
const MAX_ENTRIES = 256;

const port = z.int().min(1).max(65_535);

/** Zod's shape; `checkTopology` holds its parts together. */
export const topologyShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Topology'),
  zones: z.array(nameShape).min(1).max(MAX_ENTRIES),
  nodes: z
    .array(
      z.strictObject({
        role: nameShape,
        tier: nameShape,
        zone: nameShape,
        storage: nameShape,
        count: z.int().min(1).max(1_000_000).exactOptional(),
      }),
    )
    .min(1)
    .max(MAX_ENTRIES),
  flows: z.array(z.strictObject({ from: nameShape, to: nameShape, protocol: nameShape, port: port.exactOptional() })).max(MAX_ENTRIES),
  ingress: z.array(z.strictObject({ name: nameShape, node: nameShape, protocol: nameShape, port })).max(MAX_ENTRIES),
  services: z
    .array(
      z.strictObject({
        name: nameShape,
        kind: z.enum(['broker', 'cache', 'database']),
        product: textShape.min(1).max(255),
        node: nameShape,
        links: z.array(nameShape).max(MAX_ENTRIES),
      }),
    )
    .max(MAX_ENTRIES),
  uplinks: z.array(z.strictObject({ name: nameShape, zone: nameShape, kind: nameShape })).max(MAX_ENTRIES),
});

/**
 * Checks what the shape cannot say: each thing once, and every name that is used is one that is there.
 *
 * @throws TrustError `TRUST_MALFORMED`
 */
export function checkTopology({ zones, nodes, flows, ingress, services, uplinks }: Topology): void {
  const roles = nodes.map(({ role }) => role);
  const serviceNames = services.map(({ name }) => name);
  const uplinkNames = uplinks.map(({ name }) => name);
  expectOnce('zone', zones);
  expectOnce('node role', roles);
  expectOnce('flow', flows.map(flowName));
  expectOnce(
    'ingress',
    ingress.map(({ name }) => name),
  );
  // links name services and uplinks alike
  expectOnce('service or uplink', [...serviceNames, ...uplinkNames]);
  expectKnown('zone', zones, [
    ...nodes.map(({ zone }) => zone),
    ...flows.flatMap(({ from, to }) => [from, to]),
    ...uplinks.map(({ zone }) => zone),
  ]);
  expectKnown(
    'node role',
    roles,
    [...ingress, ...services].map(({ node }) => node),
  );
  expectKnown(
    'service or uplink',
    [...serviceNames, ...uplinkNames],
    services.flatMap(({ links }) => links),
  );
  for (const { name, links } of services) expectOnce(`link of ${name}`, links);
}

/**
 * Reads a topology.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or parts that contradict each other
 */
export function parseTopology(bytes: Uint8Array): Topology {
  const topology: Topology = parseDocument('topology', topologyShape, bytes, MAX_TOPOLOGY_BYTES);
  checkTopology(topology);
  return topology;
}

/** A flow in one word: `plant>dmz.tcp/1883`. */
export function flowName({ from, to, protocol, port: number }: TopologyFlow): string {
  return `${from}>${to}.${protocol}${number === undefined ? '' : `/${number}`}`;
}

function expectOnce(what: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw malformed(`expected each ${what} once, got ${twice} again`);
}

function expectKnown(what: string, known: readonly string[], used: readonly string[]): void {
  const unknown = used.find((name) => !known.includes(name));
  if (unknown !== undefined) throw malformed(`expected a ${what} that is described, got ${unknown}`);
}

function malformed(why: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `parse topology: ${why}`);
}
