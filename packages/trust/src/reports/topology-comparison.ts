/** Where two topologies differ, by path: `uplinks.lte.kind`. A thing that only one of them has is one difference, at its own path. */
import { flowName, type Topology } from './topology.js';

/** One difference; null = not there. */
export interface TopologyDifference {
  readonly path: string;
  readonly tested: string | null;
  readonly site: string | null;
}

/** What a thing that has no fields is said to be, or one that only one side has. */
const PRESENT = 'present';

type Fields = Readonly<Record<string, string>>;

/** Every difference between what was tested and a site, sorted by path. */
export function compareTopologies(tested: Topology, site: Topology): readonly TopologyDifference[] {
  const [left, right] = [thingsOf(tested), thingsOf(site)];
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths.flatMap((path) => {
    const [ours, theirs] = [left.get(path), right.get(path)];
    if (ours === undefined || theirs === undefined)
      return [{ path, tested: ours === undefined ? null : PRESENT, site: theirs === undefined ? null : PRESENT }];
    return compareFields(path, ours, theirs);
  });
}

function compareFields(path: string, tested: Fields, site: Fields): readonly TopologyDifference[] {
  const names = [...new Set([...Object.keys(tested), ...Object.keys(site)])].sort();
  return names
    .filter((name) => tested[name] !== site[name])
    .map((name) => ({ path: `${path}.${name}`, tested: tested[name] ?? null, site: site[name] ?? null }));
}

/** Every thing of a topology by its path, with its fields as text. */
function thingsOf({ zones, nodes, flows, ingress, services, uplinks }: Topology): ReadonlyMap<string, Fields> {
  return new Map<string, Fields>([
    ...zones.map((zone) => [`zones.${zone}`, {}] as const),
    ...nodes.map(
      ({ role, count, ...rest }) => [`nodes.${role}`, { ...rest, ...(count === undefined ? {} : { count: String(count) }) }] as const,
    ),
    ...flows.map((flow) => [`flows.${flowName(flow)}`, {}] as const),
    ...ingress.map(({ name, port, ...rest }) => [`ingress.${name}`, { ...rest, port: String(port) }] as const),
    ...services.map(({ name, links: _links, ...rest }) => [`services.${name}`, rest] as const),
    ...services.flatMap(({ name, links }) => links.map((link) => [`services.${name}.links.${link}`, {}] as const)),
    ...uplinks.map(({ name, ...rest }) => [`uplinks.${name}`, rest] as const),
  ]);
}
