/** Payload: what the manifests of a release ask of an orchestrator. Judged over the very bytes that sites will hand to it. */
import type { Check } from '@sealane/core';
import { z } from 'zod';
import { type Finding, PAYLOAD_RULES } from '../payload/finding.js';
import { readManifestFile } from '../payload/manifest-file.js';
import { readManifestPart } from '../payload/manifest-part.js';
import { payloadFindings } from '../payload/payload-findings.js';
import { failed, passed } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { isInForce, waiverFields } from './waiver.js';

const waiver = z.strictObject({
  rule: z.enum(PAYLOAD_RULES),
  /** Name of the component. */
  manifest: z.string().min(1).max(64),
  /** What people call the thing that breaks the rule, as a refusal names it; all of the manifest without. */
  object: z.string().min(1).max(500).exactOptional(),
  ...waiverFields,
});

const switches = Object.fromEntries(PAYLOAD_RULES.map((rule) => [rule, z.enum(['refuse', 'allow']).default('refuse')]));

const configSchema = z.strictObject({
  /** Each rule refuses unless it is allowed here. */
  rules: z.strictObject(switches).prefault({}),
  /** A release without a manifest: a reason to refuse, or nothing to judge. */
  noManifests: z.enum(['refuse', 'allow']).default('refuse'),
  waivers: z.array(waiver).max(256).default([]),
});

type Config = z.output<typeof configSchema>;

/** `payload` gate. */
export const payloadGate = defineGate({
  id: 'payload',
  summary: 'manifests ask for nothing that policy forbids',
  recheckedAtSite: false,
  reads: 'decisions',
  configSchema,
  evaluate: evaluatePayload,
});

/** A finding in a manifest, by the names that people gave. */
interface PlacedFinding extends Finding {
  readonly manifest: string;
  readonly file: string;
}

/** Findings named in a verdict; the count is of all. */
const MAX_NAMED = 20;

function evaluatePayload(context: GateContext, config: Config): Check {
  const id = payloadGate.id;
  const rules = PAYLOAD_RULES.filter((rule) => config.rules[rule] !== 'allow');
  const expected = `no ${rules.join(', ') || 'rule'} in the manifests`;
  const remedy = 'mend the manifest at the line named, then make a new release: sealane release create';
  const refuse = (actual: string): Check => failed(id, { expected, actual, remedy, evidence: [], code: 'PAYLOAD_REFUSED' });
  const manifests = context.releaseDoc.components.filter(({ kind }) => kind === 'manifest');
  if (manifests.length === 0) {
    if (config.noManifests === 'refuse') return refuse('the release has no manifest');
    return passed(id, { expected, actual: 'the release has no manifest', evidence: [] });
  }
  const findings: PlacedFinding[] = [];
  for (const { name, digest } of manifests) {
    const read = readManifestPart(context.blob, name, digest);
    if (!read.ok) return failed(id, { expected, actual: `manifest ${name}: ${read.why}`, remedy, evidence: [], code: read.code });
    const judged = payloadFindings(readManifestFile(read.file, read.bytes));
    if (!judged.ok) return refuse(`${read.file}:${judged.line} cannot be judged: ${judged.why}`);
    findings.push(...judged.findings.map((finding) => ({ ...finding, manifest: name, file: read.file })));
  }
  const standing = findings.filter((finding) => rules.includes(finding.rule));
  const refused = standing.filter((finding) => !isWaived(context, config, finding));
  if (refused.length > 0) return refuse(describe(refused));
  const waived = standing.length === 0 ? '' : `, ${standing.length} waived`;
  return passed(id, {
    expected,
    actual: `${manifests.length === 1 ? '1 manifest holds' : `${manifests.length} manifests hold`}${waived}`,
    evidence: [],
  });
}

function isWaived(context: GateContext, { waivers }: Config, finding: PlacedFinding): boolean {
  return waivers.some(
    (each) =>
      each.rule === finding.rule &&
      each.manifest === finding.manifest &&
      (each.object === undefined || each.object === finding.object) &&
      isInForce(each, context.time),
  );
}

function describe(findings: readonly PlacedFinding[]): string {
  const named = findings.slice(0, MAX_NAMED).map(({ file, line, rule, object, what }) => `${file}:${line} ${rule}: ${object}, ${what}`);
  const rest = findings.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}
