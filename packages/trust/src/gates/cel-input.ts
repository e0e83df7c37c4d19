/** What an expression can read: evidence that counts, by names. Each is read only when the expression names it, and refuses when it is missing. */
import { type Digest, type JsonValue, PREDICATE } from '@sealane/core';
import { readBom } from '../scans/bom.js';
import { readScan } from '../scans/scan.js';
import { digestsOf, EVIDENCE_CODES, type Selected, selectStatements, type Selection, whyNone } from './evidence-selection.js';
import type { GateContext, Read } from './gate.js';
import { coverageOfImage, imagePartsOf, isAboutPart } from './image-parts.js';
import { builtBy } from './provenance-evidence.js';
import { newestOfEachSuite, outstandingFailures, selectRuns, soundReport } from './test-runs.js';

/** A value of CEL's: whole numbers are bigint, since CEL's int and double do not mix. */
export type CelValue = string | bigint | boolean | readonly CelValue[] | { readonly [name: string]: CelValue };

/** A variable with the statements that it was read from. */
export interface CelVariable {
  readonly value: CelValue;
  readonly evidence: readonly Digest[];
}

interface Definition {
  /** What the value looks like, with every field: expressions are checked against it. */
  readonly sample: CelValue;
  readonly read: (context: GateContext) => Read<CelVariable>;
}

const component = { name: 'app', kind: 'image', digest: `sha256:${'0'.repeat(64)}` };
const release = { name: 'api', version: '1.0.0', digest: component.digest, components: [component] };

/** Names, and how each is read. */
const DEFINITIONS: Readonly<Record<string, Definition>> = {
  release: {
    sample: release,
    read: ({ release: digest, releaseDoc: { name, version, components } }) =>
      said({ name, version, digest, components: components.map((each) => ({ name: each.name, kind: each.kind, digest: each.digest })) }),
  },
  stage: { sample: 'prod', read: ({ stage }) => said(stage) },
  time: { sample: '2026-11-24T10:00:00Z', read: ({ time }) => said(time.highest) },
  groups: { sample: ['all'], read: ({ rollout }) => said(rollout) },
  tests: { sample: { total: 1n, passed: 1n, failed: 0n, skipped: 0n, suites: ['smoke'] }, read: readTests },
  provenance: { sample: [{ builder: '', source: '', ref: '', commit: '', buildType: '' }], read: readProvenance },
  vulnerabilities: { sample: [{ id: 'CVE-1', severity: 'low', purl: '', image: 'app' }], read: readVulnerabilities },
  packages: { sample: [{ name: 'a', purl: 'pkg:npm/a@1', licences: ['MIT'], image: 'app' }], read: readPackages },
};

/** Samples by name. */
export const CEL_VARIABLES: Readonly<Record<string, CelValue>> = Object.fromEntries(
  Object.entries(DEFINITIONS).map(([name, { sample }]) => [name, sample]),
);

/** Reads a variable. Problems: those of the evidence; `GATE_RULE` no such name. */
export function readVariable(context: GateContext, name: string): Read<CelVariable> {
  const definition = Object.hasOwn(DEFINITIONS, name) ? DEFINITIONS[name] : undefined;
  return definition?.read(context) ?? { ok: false, problem: { code: 'GATE_RULE', why: 'there is no such name' } };
}

/** The longest list in values, for the bound on loops. */
export function longestList(value: CelValue | JsonValue): number {
  if (Array.isArray(value)) return Math.max(value.length, ...value.map((each: CelValue) => longestList(each)));
  return typeof value === 'object' && value !== null ? Math.max(0, ...Object.values(value).map((each: CelValue) => longestList(each))) : 0;
}

function said(value: CelValue, evidence: readonly Digest[] = []): Read<CelVariable> {
  return { ok: true, value: { value, evidence } };
}

function missing(selection: Selection<unknown>, what: string): Read<CelVariable> {
  return { ok: false, problem: whyNone(selection, what, 'EVIDENCE_RESULT') };
}

/** Counts of the newest run of each suite, and of every failure that stands. */
function readTests(context: GateContext): Read<CelVariable> {
  const selection = selectRuns(context, context.policy.signers.tests);
  const failures = outstandingFailures(context, selection.accepted);
  const newest = newestOfEachSuite(selection.accepted);
  if (newest.length + failures.length === 0) return missing(selection, 'test result');
  for (const run of newest) {
    const report = soundReport(context, run);
    if (!report.ok) return report;
  }
  const runs = [...newest, ...failures];
  const sum = (field: 'total' | 'passed' | 'failed' | 'skipped'): bigint =>
    runs.reduce((total, { predicate }) => total + BigInt(predicate.counts[field]), 0n);
  const failed = sum('failed');
  const value = {
    total: sum('total'),
    passed: sum('passed'),
    // a run can fail without a case that did
    failed: failures.length > 0 && failed === 0n ? 1n : failed,
    skipped: sum('skipped'),
    suites: [...new Set(newest.map(({ predicate }) => predicate.suite))],
  };
  return said(value, digestsOf(runs));
}

function readProvenance(context: GateContext): Read<CelVariable> {
  const built = builtBy(context, undefined);
  if (!built.ok) return built;
  const facts = built.value.facts.map(({ builder = '', source = '', ref = '', commit = '', buildType = '' }) => ({
    builder,
    source,
    ref,
    commit,
    buildType,
  }));
  return said(facts, built.value.evidence);
}

function readVulnerabilities(context: GateContext): Read<CelVariable> {
  return aboutEachImage(
    context,
    [{ predicateType: PREDICATE.vulnerabilities, signers: context.policy.signers.scans, read: readScan }],
    'scan',
    ({ predicate }) => predicate.scanner,
    ({ predicate }, image) => predicate.found.map(({ id, worst, purl = '' }) => ({ id, severity: worst, purl, image })),
  );
}

function readPackages(context: GateContext): Read<CelVariable> {
  return aboutEachImage(
    context,
    [PREDICATE.cyclonedx, PREDICATE.spdx].map((predicateType) => ({ predicateType, signers: context.policy.signers.sboms, read: readBom })),
    'SBOM',
    ({ from }) => from.statement.predicateType,
    ({ predicate }, image) => predicate.map(({ name, purl = '', licences }) => ({ name, purl, licences, image })),
  );
}

/** Evidence about every image: the newest of each kind, and an image without any is a problem. */
function aboutEachImage<T>(
  context: GateContext,
  wanted: readonly {
    readonly predicateType: string;
    readonly signers: readonly string[];
    readonly read: (statement: Selected<T>['from']['statement']) => T;
  }[],
  what: string,
  kindOf: (selected: Selected<T>) => string,
  items: (selected: Selected<T>, image: string) => readonly CelValue[],
): Read<CelVariable> {
  const parts = imagePartsOf(context);
  if (!parts.ok) return parts;
  const about = isAboutPart(context, parts.value);
  const selections = wanted.map((each) => selectStatements(context, { ...each, codes: EVIDENCE_CODES, about }));
  const selection = { accepted: selections.flatMap(({ accepted }) => accepted), refused: selections.flatMap(({ refused }) => refused) };
  if (parts.value.length === 0 || selection.accepted.length === 0) return missing(selection, what);
  const used: Selected<T>[] = [];
  const values: CelValue[] = [];
  for (const image of parts.value) {
    const covered = coverageOfImage(image, selection.accepted);
    if (covered === undefined) return { ok: false, problem: { code: 'EVIDENCE_RESULT', why: `no ${what} of image ${image.name}` } };
    const newest = covered.flatMap((group) => [...new Map(group.map((each) => [kindOf(each), each])).values()]);
    used.push(...newest);
    values.push(...newest.flatMap((each) => items(each, image.name)));
  }
  return said(values, digestsOf(used));
}
