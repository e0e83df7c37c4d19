/** Vulnerabilities: each image was scanned lately, with a fresh database, and what was found is below the thresholds, refuted by VEX or let through until a date. */
import { type Check, counted, type Digest, PREDICATE } from '@sealane/core';
import { z } from 'zod';
import { isAbout } from '../evidence/predicates/statement.js';
import { readVex, type VexClaim } from '../scans/bom.js';
import { type FoundVulnerability, readScan, type Scan } from '../scans/scan.js';
import { SEVERITIES, type Severity } from '../scans/severity.js';
import { timeToSeconds } from '../time.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, EVIDENCE_CODES, type Selected, selectStatements, whyNone } from './evidence-selection.js';
import { defineGate, type GateContext } from './gate.js';
import { coverageOfImage, imagePartsOf, type ImagePart, isAboutPart } from './image-parts.js';
import { isInForce, waiverFields } from './waiver.js';

const most = z.int().min(0).max(100_000);
const days = z.number().positive().max(3660);

const configSchema = z.strictObject({
  /** How many of each severity may stand; unknown ones never may. */
  max: z
    .strictObject({ critical: most.default(0), high: most.default(0), medium: most.exactOptional(), low: most.exactOptional() })
    .prefault({}),
  /** Days between the end of a scan and the decision. */
  maxAgeDays: days.default(7),
  /** Days between the last change of the scanner's database and the end of the scan. */
  maxDatabaseAgeDays: days.default(7),
  /** URIs of scanners that each must have scanned; any one without. */
  scanners: z.array(z.string().min(1).max(2048)).max(16).default([]),
  ignore: z
    .array(z.strictObject({ id: z.string().min(1).max(200), ...waiverFields }))
    .max(1000)
    .default([]),
});

type Config = z.output<typeof configSchema>;

/** `vulnerabilities` gate. */
export const vulnerabilitiesGate = defineGate({
  id: 'vulnerabilities',
  summary: 'scanned lately, and nothing found that policy does not let through',
  recheckedAtSite: false,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateVulnerabilities,
});

const SECONDS_A_DAY = 86_400;
/** Vulnerabilities named in a verdict; the counts are of all. */
const MAX_NAMED = 20;

function evaluateVulnerabilities(context: GateContext, config: Config): Check {
  const id = vulnerabilitiesGate.id;
  const expected = `scans of every image, at most ${counted(config.maxAgeDays, 'day')} old; ${describeMax(config)}`;
  const remedy = `sealane evidence add ${context.release} --scan scan.json --key SCANNER`;
  const parts = imagePartsOf(context);
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code'>, evidence: RefusalWords['evidence'] = []): Check =>
    failed(id, { expected, remedy, evidence, ...words });
  if (!parts.ok) return refuse({ actual: parts.problem.why, code: parts.problem.code });
  if (parts.value.length === 0) return refuse({ actual: 'the release has no image to scan', code: 'EVIDENCE_RESULT' });
  const about = isAboutPart(context, parts.value);
  const select = <T>(predicateType: string, signers: readonly string[], read: (statement: Selected<T>['from']['statement']) => T) =>
    selectStatements(context, { predicateType, signers, read, codes: EVIDENCE_CODES, about });
  const scans = select(PREDICATE.vulnerabilities, context.policy.signers.scans, readScan);
  const vex = select(PREDICATE.cyclonedx, context.policy.signers.vex, readVex);
  const evidence = digestsOf([...scans.accepted, ...vex.accepted]);
  const standing = new Map<string, FoundVulnerability>();
  for (const image of parts.value) {
    const counted = scansOf(context, config, image, scans.accepted);
    if (typeof counted === 'string') {
      const none = scans.accepted.length === 0 ? whyNone(scans, `scan of image ${image.name}`, 'EVIDENCE_RESULT') : undefined;
      return refuse({ actual: none?.why ?? counted, code: none?.code ?? 'EVIDENCE_RESULT' }, evidence);
    }
    const claims = vexOf(image, vex.accepted);
    for (const found of counted.flatMap((scan) => unrefuted(image, scan, claims))) {
      if (isIgnored(context, config, found)) continue;
      const name = `${image.name} ${found.id} ${found.purl ?? ''}`;
      standing.set(name, worse(standing.get(name), found));
    }
  }
  const over = overThreshold([...standing.values()], config);
  const actual = describe([...standing.values()]);
  return over.length > 0
    ? refuse({ actual: `${over.join(', ')}: ${actual}`, code: 'EVIDENCE_VULNERABLE' }, evidence)
    : passed(id, { expected, actual, evidence });
}

/** The newest scan of each scanner of an image, or of each platform; a text when there is none that is fresh. */
function scansOf(
  context: GateContext,
  config: Config,
  image: ImagePart,
  scans: readonly Selected<Scan>[],
): readonly Selected<Scan>[] | string {
  const covered = coverageOfImage(image, scans);
  if (covered === undefined) return `no scan of image ${image.name}, or of each platform of it`;
  const counted: Selected<Scan>[] = [];
  for (const group of covered) {
    const newest = [...new Map(group.map((scan) => [scan.predicate.scanner, scan])).values()];
    const problems = newest.map((scan) => whyStale(context, config, scan));
    const fresh = newest.filter((_, at) => problems[at] === undefined);
    if (fresh.length === 0) return `image ${image.name}: ${problems.find((each) => each !== undefined) ?? 'no fresh scan'}`;
    const missing = config.scanners.find((uri) => !fresh.some(({ predicate }) => predicate.scanner === uri.replace(/@.*$/, '')));
    if (missing !== undefined) return `image ${image.name}: no fresh scan by ${missing}`;
    counted.push(...fresh);
  }
  return counted;
}

/** A scan is as old as its end, which is not after it was logged; its database must have been fresh then. */
function whyStale(context: GateContext, config: Config, { from, predicate }: Selected<Scan>): string | undefined {
  const now = timeToSeconds(context.time.highest);
  const seen = from.witnessed === null ? now : Math.min(now, timeToSeconds(from.witnessed.highest));
  const { finishedAt, databaseAt, scanner } = predicate;
  if (finishedAt === undefined) return `the scan by ${scanner} does not say when it ended`;
  if (finishedAt > seen) return `the scan by ${scanner} says it ended after it was logged`;
  if (now - finishedAt > config.maxAgeDays * SECONDS_A_DAY)
    return `the scan by ${scanner} is older than ${counted(config.maxAgeDays, 'day')}`;
  if (databaseAt === undefined) return `the scan by ${scanner} does not say how old its database was`;
  if (databaseAt > finishedAt) return `the scan by ${scanner} says its database is newer than the scan`;
  if (finishedAt - databaseAt > config.maxDatabaseAgeDays * SECONDS_A_DAY)
    return `the scan by ${scanner} had a database older than ${counted(config.maxDatabaseAgeDays, 'day')}`;
  return undefined;
}

/** Claims of one document about each vulnerability. */
type Claims = ReadonlyMap<string, readonly VexClaim[]>;

/** What VEX says last of each platform of an image, or of the image where it has none: a later document takes back what an earlier one said of a vulnerability. */
function vexOf(image: ImagePart, documents: readonly Selected<readonly VexClaim[]>[]): ReadonlyMap<Digest, Claims> {
  return new Map(
    partsOf(image).map((target) => {
      const last = new Map<string, readonly VexClaim[]>();
      for (const { from, predicate } of documents) {
        if (![image.digest, target].some((digest) => isAbout(from.statement, digest))) continue;
        for (const [id, claims] of byVulnerability(predicate)) last.set(id, claims);
      }
      return [target, last];
    }),
  );
}

function byVulnerability(claims: readonly VexClaim[]): Claims {
  const found = new Map<string, VexClaim[]>();
  for (const claim of claims) {
    const same = found.get(claim.id);
    if (same === undefined) found.set(claim.id, [claim]);
    else same.push(claim);
  }
  return found;
}

function partsOf({ digest, platforms }: ImagePart): readonly Digest[] {
  return platforms.length === 0 ? [digest] : platforms;
}

/** What a scan may have found something in: the platforms that it names, or every one where it looked at the whole. What is said of one refutes nothing of another. */
function targetsOf(image: ImagePart, { from }: Selected<Scan>): readonly Digest[] {
  const isOfAll = isAbout(from.statement, image.digest);
  return partsOf(image).filter((target) => isOfAll || isAbout(from.statement, target));
}

/** What a scan found, but for what VEX refutes in everything that it looked at. */
function unrefuted(image: ImagePart, scan: Selected<Scan>, vex: ReadonlyMap<Digest, Claims>): readonly FoundVulnerability[] {
  const said = targetsOf(image, scan).map((target) => vex.get(target));
  return scan.predicate.found.filter(
    (found) => said.length === 0 || !said.every((claims) => isRefuted(found, claims?.get(found.id) ?? [])),
  );
}

/** A claim about packages refutes no finding that names none; one that says that something is affected speaks against each that it may mean. */
function isRefuted({ purl }: FoundVulnerability, claims: readonly VexClaim[]): boolean {
  const isMeant = ({ purls }: VexClaim): boolean => purls === null || (purl !== undefined && purls.includes(purl));
  const denied = claims.filter((claim) => !claim.isNotAffected);
  return claims.some((claim) => claim.isNotAffected && isMeant(claim)) && !denied.some((claim) => purl === undefined || isMeant(claim));
}

/** Of what two scans say of one vulnerability the worse: a scanner that makes light of it takes nothing back of another's. */
function worse(before: FoundVulnerability | undefined, found: FoundVulnerability): FoundVulnerability {
  return before !== undefined && ORDER.indexOf(before.severity) <= ORDER.indexOf(found.severity) ? before : found;
}

function isIgnored(context: GateContext, { ignore }: Config, { id }: FoundVulnerability): boolean {
  return ignore.some((each) => each.id === id && isInForce(each, context.time));
}

function overThreshold(found: readonly FoundVulnerability[], { max }: Config): readonly string[] {
  const limits: Readonly<Record<Severity, number | undefined>> = {
    none: undefined,
    low: max.low,
    medium: max.medium,
    high: max.high,
    critical: max.critical,
    unknown: 0,
  };
  return ORDER.flatMap((severity) => {
    const count = found.filter((each) => each.severity === severity).length;
    const limit = limits[severity];
    return limit !== undefined && count > limit ? [`${count} ${severity}, at most ${limit} may be`] : [];
  });
}

const ORDER: readonly Severity[] = ['unknown', ...[...SEVERITIES].reverse()];

function describe(found: readonly FoundVulnerability[]): string {
  if (found.length === 0) return 'nothing stands';
  const sorted = [...found].sort((left, right) => ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity));
  const named = sorted.slice(0, MAX_NAMED).map(({ id, severity, purl }) => `${id} ${severity}${purl === undefined ? '' : ` in ${purl}`}`);
  return [...named, ...(found.length > MAX_NAMED ? [`and ${found.length - MAX_NAMED} more`] : [])].join('; ');
}

function describeMax({ max }: Config): string {
  return `at most ${Object.entries(max)
    .map(([severity, count]) => `${count} ${severity}`)
    .join(', ')}, none unknown`;
}
