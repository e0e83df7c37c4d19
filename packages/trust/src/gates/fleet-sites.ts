/** The sites of a rollout as gates take them, out of what a ledger keeps of each; what many sites repeat is read once. */
import type { Digest, FoundHardware, JsonObject } from '@sealane/core';
import { parseShape } from '../policy/document.js';
import { checkTopology, type Topology, topologyShape } from '../reports/topology.js';
import { type SiteVariables, siteVariablesShape } from '../site-variables.js';
import type { FleetSite } from './gate.js';

/**
 * A site as a ledger keeps it: labels and topology of its record, and its latest receipt (null: none). Equal documents of different sites may be one
 * object; they are then parsed, and judged, once.
 */
export interface KnownSite {
  readonly site: string;
  readonly labels: JsonObject;
  readonly topology: JsonObject | null;
  readonly report: {
    readonly at: string;
    readonly event: string;
    readonly release: Digest | null;
    readonly previous: Digest | null;
    readonly hardware: FoundHardware;
    readonly variables: JsonObject | null;
  } | null;
}

/**
 * The sites that one of these selectors matches.
 *
 * @throws TrustError `TRUST_MALFORMED` a topology or variables of another shape
 */
export function fleetSites(
  known: readonly KnownSite[],
  selectors: readonly { readonly match: Readonly<Record<string, string>> }[],
): readonly FleetSite[] {
  const topology = readOnce(readTopology);
  const variables = readOnce(readVariables);
  const isMeant = ({ labels }: KnownSite): boolean =>
    selectors.some(({ match }) => Object.entries(match).every(([key, value]) => labels[key] === value));
  return known.filter(isMeant).map((each) => ({
    site: each.site,
    ...(each.report === null
      ? { hardware: null, reportedAt: null }
      : {
          hardware: each.report.hardware,
          reportedAt: each.report.at,
          running: runningAfter(each.report),
          variables: variables(each.report.variables ?? NONE),
        }),
    ...(each.topology === null ? {} : { topology: topology(each.topology) }),
  }));
}

/** A receipt that names no variables says that its site sets none. */
const NONE: JsonObject = {};

/** What a site runs after what its receipt tells: the new release, or the one before. */
function runningAfter({ event, release, previous }: NonNullable<KnownSite['report']>): Digest | null {
  if (event === 'retired') return null;
  return event === 'installed' || event === 'rollback' ? release : previous;
}

function readTopology(value: JsonObject): Topology {
  const topology: Topology = parseShape('topology of a site', topologyShape, value);
  checkTopology(topology);
  return topology;
}

function readVariables(value: JsonObject): SiteVariables {
  return parseShape('variables of a site', siteVariablesShape, value);
}

function readOnce<T>(read: (value: JsonObject) => T): (value: JsonObject) => T {
  const known = new Map<JsonObject, T>();
  return (value) => {
    const found = known.get(value) ?? read(value);
    known.set(value, found);
    return found;
  };
}
