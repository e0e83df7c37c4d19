/** Bills of material as gates read them: components of CycloneDX and SPDX JSON, and what CycloneDX VEX says of vulnerabilities. */
import { PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';

/** One thing that is in an image. `licences` are SPDX expressions, or what stands for one. */
export interface BomComponent {
  readonly name: string;
  readonly purl: string | undefined;
  readonly licences: readonly string[];
}

/** What a VEX document says of one vulnerability, and of which packages (null: of all in its subject; none: of nothing that can be told). */
export interface VexClaim {
  readonly id: string;
  readonly isNotAffected: boolean;
  readonly purls: readonly string[] | null;
}

const MAX_COMPONENTS = 200_000;
const text = z.string().max(4096);
const licenceShape = z.looseObject({
  license: z.looseObject({ id: text.optional(), name: text.optional() }).optional(),
  expression: text.optional(),
});

interface CycloneComponent {
  readonly 'bom-ref'?: string | undefined;
  readonly name: string;
  readonly purl?: string | undefined;
  readonly licenses?: z.output<typeof licenceShape>[] | undefined;
  readonly components?: readonly CycloneComponent[] | undefined;
}

const componentShape: z.ZodType<CycloneComponent> = z.looseObject({
  'bom-ref': text.optional(),
  name: text.min(1),
  purl: text.optional(),
  licenses: z.array(licenceShape).max(1000).optional(),
  get components() {
    return z.array(componentShape).max(MAX_COMPONENTS).optional();
  },
});

const cycloneShape = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: text,
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': text.optional() }).optional() }).optional(),
  components: z.array(componentShape).max(MAX_COMPONENTS).optional(),
  vulnerabilities: z
    .array(
      z.looseObject({
        id: text.min(1),
        analysis: z.looseObject({ state: text.optional(), justification: text.optional() }).optional(),
        affects: z
          .array(z.looseObject({ ref: text }))
          .max(10_000)
          .optional(),
      }),
    )
    .max(100_000)
    .optional(),
});

const spdxShape = z.looseObject({
  spdxVersion: z.string().regex(/^SPDX-2\.\d+$/),
  packages: z
    .array(
      z.looseObject({
        name: text.min(1),
        licenseConcluded: text.optional(),
        licenseDeclared: text.optional(),
        externalRefs: z
          .array(z.looseObject({ referenceType: text, referenceLocator: text }))
          .max(1000)
          .optional(),
      }),
    )
    .max(MAX_COMPONENTS),
});

/** The components of a CycloneDX or SPDX 2 document. @throws TrustError `TRUST_MALFORMED` another format */
export function readBom({ predicateType, predicate }: Pick<Statement, 'predicateType' | 'predicate'>): readonly BomComponent[] {
  if (predicateType === PREDICATE.cyclonedx) return flatten(parse(cycloneShape, predicate, 'CycloneDX').components ?? []);
  return parse(spdxShape, predicate, 'SPDX 2').packages.map(({ name, licenseConcluded, licenseDeclared, externalRefs = [] }) => ({
    name,
    purl: externalRefs.find(({ referenceType }) => referenceType === 'purl')?.referenceLocator,
    licences: [licenseConcluded, licenseDeclared]
      .filter((each) => each !== undefined && !['NOASSERTION', 'NONE', ''].includes(each))
      .slice(0, 1) as string[],
  }));
}

/** Justifications of CycloneDX; without one of them nobody has said why. */
const JUSTIFICATIONS: readonly string[] = [
  'code_not_present',
  'code_not_reachable',
  'requires_configuration',
  'requires_dependency',
  'requires_environment',
  'protected_by_compiler',
  'protected_at_runtime',
  'protected_at_perimeter',
  'protected_by_mitigating_control',
];

/** What a CycloneDX document says of vulnerabilities. @throws TrustError `TRUST_MALFORMED` no CycloneDX, or it speaks of none */
export function readVex({ predicate }: Pick<Statement, 'predicate'>): readonly VexClaim[] {
  const { vulnerabilities = [], metadata, components = [] } = parse(cycloneShape, predicate, 'CycloneDX');
  if (vulnerabilities.length === 0) throw new TrustError('TRUST_MALFORMED', 'read VEX: expected at least one vulnerability, got none');
  const purls = purlsByRef(components);
  const whole = metadata?.component?.['bom-ref'];
  return vulnerabilities.map(({ id, analysis, affects = [] }) => ({
    id,
    isNotAffected: analysis?.state === 'not_affected' && JUSTIFICATIONS.includes(analysis.justification ?? ''),
    purls:
      affects.length === 0 || affects.some(({ ref }) => ref === whole)
        ? null
        : affects.flatMap(({ ref }) => purls.get(ref) ?? packageIn(ref) ?? []),
  }));
}

function purlsByRef(components: readonly CycloneComponent[]): ReadonlyMap<string, string> {
  const purls = new Map<string, string>();
  for (const { 'bom-ref': ref, purl, components: inner = [] } of components) {
    if (ref !== undefined && purl !== undefined) purls.set(ref, purl);
    for (const [each, of] of purlsByRef(inner)) purls.set(each, of);
  }
  return purls;
}

/** The package that a reference names by itself: a package URL, also behind a BOM-Link into a document that is not at hand. */
function packageIn(ref: string): string | undefined {
  const name = ref.replace(/^urn:cdx:[^#]*#/, '');
  return name.startsWith('pkg:') ? name : undefined;
}

function flatten(components: readonly CycloneComponent[]): readonly BomComponent[] {
  return components.flatMap((each) => [
    {
      name: each.name,
      purl: each.purl,
      licences: (each.licenses ?? []).flatMap(({ license, expression }) => expression ?? license?.id ?? license?.name ?? []),
    },
    ...flatten(each.components ?? []),
  ]);
}

function parse<T>(shape: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TrustError(
    'TRUST_MALFORMED',
    `read a bill of material: expected ${what}, got ${issue?.path.join('.') ?? ''}: ${(issue?.message ?? 'another shape').slice(0, 200)}`,
  );
}
