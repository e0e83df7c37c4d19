/** Provenance: who built this release, from which source (SLSA v1). Exact identities only; a pattern would let a look-alike in. */
import type { Check } from '@sealane/core';
import { z } from 'zod';
import { failed, passed } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { builtBy, keylessShape } from './provenance-evidence.js';
import { bareUri, type ProvenanceFacts } from './provenance-facts.js';

const exact = z.string().min(1).max(2048).exactOptional();
/** The facts that are compared letter for letter. */
const FACTS = ['builder', 'source', 'ref', 'commit', 'buildType'] as const;

const configSchema = z.strictObject({
  builder: exact,
  source: exact,
  ref: exact,
  commit: exact,
  buildType: exact,
  /** Where what the build was fed may come from: URIs, or their beginning up to a `/`. Each has to be named by digest. */
  materials: z.array(z.string().min(1).max(2048)).min(1).max(256).exactOptional(),
  /** Keyless: the bundles that this identity signed, instead of statements by keys of `signers.provenance`. */
  keyless: keylessShape.exactOptional(),
});
type Config = z.output<typeof configSchema>;

/** `provenance` gate: the newest provenance by a signer of policy names exactly these. */
export const provenanceGate = defineGate({
  id: 'provenance',
  summary: 'built by the builder and from the source that policy names',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateProvenance,
});

function evaluateProvenance(context: GateContext, config: Config): Check {
  const id = provenanceGate.id;
  const wishes = FACTS.flatMap((name) => {
    const value = config[name];
    return value === undefined ? [] : [{ name, value: name === 'source' ? bareUri(value) : value }];
  });
  const expected = describeWish(config, wishes);
  const remedy = `sealane evidence add ${context.release} ${config.keyless === undefined ? '--provenance provenance.json' : '--bundle BUNDLE'} --key BUILDER`;
  const built = builtBy(context, config.keyless);
  if (!built.ok) return failed(id, { expected, actual: built.problem.why, remedy, evidence: [], code: built.problem.code });
  const { facts, evidence } = built.value;
  const lacks = facts.flatMap((each) => [...wrongFacts(each, wishes), ...wrongMaterials(each, config.materials)]);
  if (lacks.length > 0)
    return failed(id, { expected, actual: [...new Set(lacks)].join(', '), remedy, evidence, code: 'EVIDENCE_PROVENANCE' });
  return passed(id, { expected, actual: facts.map(describeFacts).join('; '), evidence });
}

interface Wish {
  readonly name: (typeof FACTS)[number];
  readonly value: string;
}

function describeWish({ materials, keyless }: Config, wishes: readonly Wish[]): string {
  const parts = wishes.map(({ name, value }) => `${name} ${value}`);
  if (materials !== undefined) parts.push(`materials from ${materials.join(', ')}`);
  const by = keyless === undefined ? 'by a signer of policy' : `by ${keyless.identity} of ${keyless.issuer}`;
  return `SLSA v1 provenance ${by}${parts.length === 0 ? '' : ` with ${parts.join(', ')}`}`;
}

function wrongFacts(facts: ProvenanceFacts, wishes: readonly Wish[]): readonly string[] {
  return wishes
    .filter(({ name, value }) => facts[name] !== value)
    .map(({ name }) => `${name} ${facts[name] ?? 'not stated, or stated in two ways'}`);
}

/** Every material, not only some: one that comes from elsewhere is what the rule is for. A build that names none was not looked at. */
function wrongMaterials({ materials }: ProvenanceFacts, allowed: readonly string[] | undefined): readonly string[] {
  if (allowed === undefined) return [];
  if (materials.length === 0) return ['no materials stated'];
  const wrong = materials.filter(
    ({ uri, isPinned }) => uri === undefined || !isPinned || !allowed.some((from) => isFrom(uri, bareUri(from))),
  );
  return wrong.slice(0, 5).map(({ uri, isPinned }) => `material ${uri ?? 'without a URI'}${isPinned ? '' : ' without a digest'}`);
}

/** The same text, the same with a ref, or below a folder that ends with a slash and stays below it. */
function isFrom(uri: string, allowed: string): boolean {
  if (allowed.endsWith('/')) return uri.startsWith(allowed) && !/(?:^|\/)\.{1,2}(?:\/|$)|%2e|%2f|\\/i.test(uri.slice(allowed.length));
  return uri === allowed || uri.startsWith(`${allowed}@`);
}

function describeFacts({ builder, source, commit }: ProvenanceFacts): string {
  return `builder ${String(builder)}, source ${source ?? 'not stated'}, commit ${commit ?? 'not stated'}`;
}

/** What a scope asks of the sources, by the same provenance that the gate of policy reads. */
export function sourcesOf(context: GateContext): ReturnType<typeof builtBy> {
  const settings = context.policy.gates.find(({ use }) => use === provenanceGate.id)?.with ?? {};
  return builtBy(context, configSchema.parse(settings).keyless);
}
