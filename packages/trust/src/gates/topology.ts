/** Topology parity: every site of the rollout stands as the release was tested, but for differences that policy declares with reason, owner and expiry. */
import { type Check, counted } from '@sealane/core';
import { z } from 'zod';
import { nameShape, textShape, timeShape } from '../policy/shapes.js';
import type { Topology } from '../reports/topology.js';
import { compareTopologies, type TopologyDifference } from '../reports/topology-comparison.js';
import { timeToSeconds } from '../time.js';
import { failed, passed } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { documentedRuns } from './run-documents.js';

const side = textShape.min(1).max(255).nullable();
const differenceShape = z.strictObject({
  /** Where, as a refusal names it: `uplinks.lte.kind`. */
  path: z.string().min(1).max(512),
  /** What was tested and what the sites have; null where it is not there. Another value is another difference. */
  tested: side,
  site: side,
  reason: textShape.min(1),
  owner: nameShape,
  expiresAt: timeShape,
});

const configSchema = z.strictObject({
  /** Sites whose record says no topology: left out and counted, or a reason to refuse. */
  unknown: z.enum(['exclude', 'refuse']).default('exclude'),
  differences: z.array(differenceShape).max(256).default([]),
});

type Config = z.output<typeof configSchema>;

/** `topology` gate. A site judges its own; the fleet is the promoter's. */
export const topologyGate = defineGate({
  id: 'topology',
  summary: 'tested in the topology of the sites',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateTopology,
});

function evaluateTopology(context: GateContext, config: Config): Check {
  const id = topologyGate.id;
  const expected = `passing tests in the topology of ${counted(context.fleet.length, 'site')}, ${counted(config.differences.length, 'difference')} declared, unknown: ${config.unknown}`;
  const remedy = `sealane evidence add ${context.release} --tests junit.xml --topology topology.yaml --key LAB`;
  const found = documentedRuns(context, 'topology', context.topology, 'EVIDENCE_TOPOLOGY');
  const { evidence } = found;
  if (!found.ok) return failed(id, { expected, remedy, evidence, actual: found.problem.why, code: found.problem.code });
  const tested = found.runs.map(({ document }) => document);
  const differing = differingSites(context, config, tested);
  if (differing.size > 0)
    return failed(id, { expected, remedy: declareRemedy(remedy), evidence, actual: describe(differing), code: 'EVIDENCE_TOPOLOGY' });
  const silent = context.fleet.filter(({ topology }) => topology === undefined).map(({ site }) => site);
  const words = {
    expected,
    evidence,
    actual: `${context.fleet.length - silent.length} of ${counted(context.fleet.length, 'site')} ${context.fleet.length === 1 ? 'stands' : 'stand'} as tested`,
  };
  // leaving sites out must leave one that could take the release; a fleet that has no site yet may be refused by policy
  const isRefused =
    config.unknown === 'refuse'
      ? silent.length > 0 || context.fleet.length === 0
      : silent.length > 0 && silent.length === context.fleet.length;
  if (!isRefused) return passed(id, silent.length === 0 ? words : { ...words, actual: `${words.actual}; not known: ${someOf(silent)}` });
  return failed(id, {
    ...words,
    actual: silent.length === 0 ? 'no site is known, and unknown is refused' : `the record says no topology: ${someOf(silent)}`,
    remedy: 'sealane site add REQUEST --stage STAGE --topology topology.yaml --key REGISTRAR',
    code: 'EVIDENCE_TOPOLOGY',
  });
}

/** Sites by the difference, as one line, that nobody declared. A site is held to the tested topology that is nearest to its own. */
function differingSites(context: GateContext, config: Config, tested: readonly Topology[]): ReadonlyMap<string, readonly string[]> {
  const differing = new Map<string, string[]>();
  for (const { site, topology } of context.fleet) {
    if (topology === undefined) continue;
    const each = tested.map((one) => compareTopologies(one, topology).filter((difference) => !isDeclared(context, config, difference)));
    const [nearest = []] = each.sort((left, right) => left.length - right.length);
    for (const difference of nearest) {
      const line = describeDifference(difference);
      differing.set(line, [...(differing.get(line) ?? []), site]);
    }
  }
  return differing;
}

/** Judged at the witnessed time; a declaration that has expired declares nothing. */
function isDeclared({ time }: GateContext, { differences }: Config, found: TopologyDifference): boolean {
  return differences.some(
    ({ path, tested, site, expiresAt }) =>
      path === found.path && tested === found.tested && site === found.site && timeToSeconds(expiresAt) > timeToSeconds(time.highest),
  );
}

function describeDifference({ path, tested, site }: TopologyDifference): string {
  return `${path}: tested ${tested ?? 'absent'}, there ${site ?? 'absent'}`;
}

function describe(differing: ReadonlyMap<string, readonly string[]>): string {
  return [...differing].map(([line, sites]) => `${line} (${someOf(sites)})`).join('; ');
}

function declareRemedy(remedy: string): string {
  return `declare each under differences of the gate in pipeline.yaml with reason, owner and expiresAt, then: sealane trust propose; or test there: ${remedy}`;
}

/** Sites named in a verdict; the count is of all. */
const MAX_NAMED = 5;

function someOf(sites: readonly string[]): string {
  const named = sites.slice(0, MAX_NAMED).join(', ');
  return sites.length > MAX_NAMED ? `${named} and ${sites.length - MAX_NAMED} more` : named;
}
