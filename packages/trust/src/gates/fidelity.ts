/** Fidelity: each dependency that the release declares was tested as real as its criticality asks, and no run met one that is not declared. */
import type { Check } from '@sealane/core';
import { z } from 'zod';
import { CRITICALITIES, type Criticality, type DeclaredDependency } from '../evidence/predicates/declaration.js';
import { DATA_KINDS, type DependencyFidelity, RUNGS } from '../reports/fidelity.js';
import { failed, passed } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { documentedRuns } from './run-documents.js';

const needShape = z.strictObject({ rung: z.enum(RUNGS), data: z.enum(DATA_KINDS) });
type Need = z.output<typeof needShape>;

const configSchema = z.strictObject({
  high: needShape.default({ rung: 'hardware', data: 'real' }),
  medium: needShape.default({ rung: 'partial', data: 'synthetic' }),
  low: needShape.default({ rung: 'mock', data: 'synthetic' }),
});

type Config = z.output<typeof configSchema> & Readonly<Record<Criticality, Need>>;

/** `fidelity` gate. */
export const fidelityGate = defineGate({
  id: 'fidelity',
  summary: 'each dependency was tested as real as its criticality asks',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateFidelity,
});

function evaluateFidelity(context: GateContext, config: Config): Check {
  const id = fidelityGate.id;
  const expected = CRITICALITIES.map((word) => `${word}: ${describeNeed(config[word])}`).join('; ');
  const remedy = `sealane evidence add ${context.release} --tests junit.xml --fidelity fidelity.yaml --key LAB`;
  const declared = context.releaseDoc.declares?.dependencies;
  if (declared === undefined) {
    return failed(id, {
      expected,
      actual: 'the release does not declare its dependencies',
      remedy: 'make a new version that does: sealane release create --declare release.yaml',
      evidence: [],
      code: 'EVIDENCE_FIDELITY',
    });
  }
  const found = documentedRuns(context, 'fidelity', context.fidelity, 'EVIDENCE_FIDELITY');
  const { evidence } = found;
  if (!found.ok) return failed(id, { expected, remedy, evidence, actual: found.problem.why, code: found.problem.code });
  const met = found.runs.flatMap(({ document }) => document.dependencies);
  const lacks = [
    ...undeclared(declared, met),
    ...declared.flatMap((dependency) => lackOf(dependency, config[dependency.criticality], met)),
  ];
  if (lacks.length > 0) return failed(id, { expected, remedy, evidence, actual: lacks.join('; '), code: 'EVIDENCE_FIDELITY' });
  const names = declared.map(({ name }) => name).join(', ') || 'no dependency, as declared';
  return passed(id, { expected, actual: `tested as real as asked: ${names}`, evidence });
}

function undeclared(declared: readonly DeclaredDependency[], met: readonly DependencyFidelity[]): readonly string[] {
  const known = new Set(declared.map(({ name }) => name));
  return [...new Set(met.map(({ name }) => name))]
    .filter((name) => !known.has(name))
    .map((name) => `${name} is not declared by the release`);
}

/** Rung and data must have been there in one run: real data into a mock proves neither. */
function lackOf({ name, criticality }: DeclaredDependency, need: Need, met: readonly DependencyFidelity[]): readonly string[] {
  const tested = met.filter((each) => each.name === name);
  if (tested.some(({ rung, data }) => isAtLeast(RUNGS, rung, need.rung) && isAtLeast(DATA_KINDS, data, need.data))) return [];
  const was = [...new Set(tested.map(describeNeed))].join(', ') || 'not at all';
  return [`${name} (${criticality}): expected ${describeNeed(need)}, tested ${was}`];
}

function isAtLeast<T extends string>(ladder: readonly T[], got: T, needed: T): boolean {
  return ladder.indexOf(got) >= ladder.indexOf(needed);
}

function describeNeed({ rung, data }: Need): string {
  return `${rung} with ${data} data`;
}
