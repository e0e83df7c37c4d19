/** SBOM: a signed list of what is in each image, and nothing in it that policy forbids. */
import { type Check, counted, PREDICATE } from '@sealane/core';
import { z } from 'zod';
import { type BomComponent, readBom } from '../scans/bom.js';
import { licenceVerdict } from '../scans/licence.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, EVIDENCE_CODES, type Selected, selectStatements, whyNone } from './evidence-selection.js';
import { defineGate, type GateContext } from './gate.js';
import { coverageOfImage, imagePartsOf, isAboutPart } from './image-parts.js';
import { isInForce, waiverFields } from './waiver.js';

const purl = z.string().regex(/^pkg:[a-z][a-z0-9.+-]*\/\S+$/, 'expected a package URL, as pkg:npm/left-pad or pkg:npm/left-pad@1.3.0');

const configSchema = z.strictObject({
  minComponents: z.int().min(1).max(100_000).default(1),
  /** SPDX ids; `OR` in an expression leaves a choice. */
  forbiddenLicences: z.array(z.string().min(1).max(200)).max(500).default([]),
  /** A component whose licence cannot be told, where some are forbidden. */
  unknownLicence: z.enum(['refuse', 'allow']).default('refuse'),
  /** Package URLs; without a version, every version. */
  forbidden: z.array(purl).max(1000).default([]),
  waivers: z
    .array(z.strictObject({ purl, ...waiverFields }))
    .max(1000)
    .default([]),
});

type Config = z.output<typeof configSchema>;

/** `sbom` gate. */
export const sbomGate = defineGate({
  id: 'sbom',
  summary: 'what is in each image is listed, and none of it forbidden',
  recheckedAtSite: false,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateSbom,
});

/** Components named in a verdict; the count is of all. */
const MAX_NAMED = 20;

function evaluateSbom(context: GateContext, config: Config): Check {
  const id = sbomGate.id;
  const expected = `a signed SBOM of every image, at least ${counted(config.minComponents, 'component')}, ${counted(config.forbidden.length, 'package')} and ${counted(config.forbiddenLicences.length, 'licence')} forbidden`;
  const remedy = `sealane evidence add ${context.release} --sbom sbom.cdx.json --key SIGNER`;
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code'>, evidence: RefusalWords['evidence'] = []): Check =>
    failed(id, { expected, remedy, evidence, ...words });
  const parts = imagePartsOf(context);
  if (!parts.ok) return refuse({ actual: parts.problem.why, code: parts.problem.code });
  if (parts.value.length === 0) return refuse({ actual: 'the release has no image to list', code: 'EVIDENCE_RESULT' });
  const about = isAboutPart(context, parts.value);
  const selections = [PREDICATE.cyclonedx, PREDICATE.spdx].map((predicateType) =>
    selectStatements(context, { predicateType, signers: context.policy.signers.sboms, read: readBom, codes: EVIDENCE_CODES, about }),
  );
  // a CycloneDX document without components is VEX, or says nothing
  const accepted = selections.flatMap((selection) => selection.accepted).filter(({ predicate }) => predicate.length > 0);
  const selection = { accepted, refused: selections.flatMap(({ refused }) => refused) };
  const used: Selected<readonly BomComponent[]>[] = [];
  for (const image of parts.value) {
    const covered = coverageOfImage(image, accepted);
    if (covered === undefined) {
      const { code, why } =
        accepted.length === 0
          ? whyNone(selection, `SBOM of image ${image.name}`, 'EVIDENCE_RESULT')
          : { code: 'EVIDENCE_RESULT' as const, why: `no SBOM of image ${image.name}, or of each platform of it` };
      return refuse({ actual: why, code }, digestsOf(accepted));
    }
    used.push(...covered.flatMap(newestOfEachFormat));
  }
  const evidence = digestsOf(used);
  const few = used.find(({ predicate }) => predicate.length < config.minComponents);
  if (few !== undefined)
    return refuse({ actual: `${few.from.digest} lists ${counted(few.predicate.length, 'component')}`, code: 'EVIDENCE_RESULT' }, evidence);
  const components = used.flatMap(({ predicate }) => predicate);
  const problems = components.flatMap((component) => problemOf(context, config, component));
  if (problems.length > 0) return refuse({ actual: describe(problems), code: 'EVIDENCE_FORBIDDEN' }, evidence);
  return passed(id, { expected, actual: `${counted(components.length, 'component')} in ${counted(used.length, 'document')}`, evidence });
}

function newestOfEachFormat(documents: readonly Selected<readonly BomComponent[]>[]): readonly Selected<readonly BomComponent[]>[] {
  return [...new Map(documents.map((each) => [each.from.statement.predicateType, each])).values()];
}

function problemOf(context: GateContext, config: Config, component: BomComponent): readonly string[] {
  const { purl: own, name } = component;
  const waived = own !== undefined && config.waivers.some((each) => matches(each.purl, own) && isInForce(each, context.time));
  if (waived) return [];
  const label = own ?? name;
  const forbidden = own === undefined ? undefined : config.forbidden.find((each) => matches(each, own));
  if (forbidden !== undefined) return [`${label} is forbidden`];
  if (config.forbidden.length > 0 && own === undefined && config.forbidden.some((each) => nameOf(each) === name))
    return [`${label} may be forbidden, and has no package URL`];
  if (config.forbiddenLicences.length === 0) return [];
  const list = new Set(config.forbiddenLicences.map((each) => each.toLowerCase()));
  const verdicts = component.licences.map((each) => licenceVerdict(each, list));
  if (verdicts.includes('forbidden')) return [`${label}: licence ${component.licences.join(', ')}`];
  const isUnknown = verdicts.length === 0 || verdicts.includes('unknown');
  return isUnknown && config.unknownLicence === 'refuse' ? [`${label}: no licence that can be told`] : [];
}

/** A package URL without a version stands for every version; qualifiers and subpath say nothing about which package it is. */
function matches(wanted: string, actual: string): boolean {
  const bare = actual.replace(/[?#].*$/, '');
  const [type, version] = splitVersion(bare);
  const [wantedType, wantedVersion] = splitVersion(wanted);
  return normal(type) === normal(wantedType) && (wantedVersion === undefined || version === wantedVersion);
}

function splitVersion(text: string): readonly [string, string | undefined] {
  const at = text.lastIndexOf('@');
  // an @ at the head of a name is a scope of npm, written plainly
  return at <= text.lastIndexOf('/') ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function normal(text: string): string {
  return text.toLowerCase().replaceAll('%40', '@');
}

function nameOf(text: string): string {
  return splitVersion(text)[0].split('/').at(-1) ?? '';
}

function describe(problems: readonly string[]): string {
  return [...problems.slice(0, MAX_NAMED), ...(problems.length > MAX_NAMED ? [`and ${problems.length - MAX_NAMED} more`] : [])].join('; ');
}
