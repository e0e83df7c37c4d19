/** Site variables: the values that a release's declaration gives at one site. The same rules at the site, which refuses, and at the promoter, which plans. */
import { TrustError } from '@sealane/core';
import { z } from 'zod';
import {
  type DeclaredVariable,
  problemOfValue,
  type VariableValue,
  variableNameShape,
  variableValueShape,
} from './evidence/predicates/declaration.js';

/** Values by the name of their variable. */
export type SiteVariables = Readonly<Record<string, VariableValue>>;

/** Most values that one site sets: what a release can declare. */
const MAX_VARIABLES = 256;

/** Zod's shape of the values that a site sets. */
export const siteVariablesShape = z
  .record(variableNameShape, variableValueShape)
  .refine((values) => Object.keys(values).length <= MAX_VARIABLES, `expected at most ${MAX_VARIABLES} variables`);

/** What keeps values from being rendered: `wrong` = out of range or not declared, `unset` = neither set nor given a default. */
export interface VariableProblems {
  readonly wrong: readonly string[];
  readonly unset: readonly string[];
}

/** Compares what a site sets with what a release declares; both lists are empty when it fits. */
export function variableProblems(declared: readonly DeclaredVariable[], set: SiteVariables): VariableProblems {
  const known = new Set(declared.map(({ name }) => name));
  const undeclared = Object.keys(set).filter((name) => !known.has(name));
  const outside = declared.flatMap((variable) => {
    const value = valueOf(set, variable.name);
    const problem = value === undefined ? undefined : problemOfValue(variable, value);
    return problem === undefined ? [] : [`${variable.name}: ${problem}`];
  });
  const unset = declared
    .filter(({ name, default: usual }) => usual === undefined && valueOf(set, name) === undefined)
    .map(({ name }) => name);
  return { wrong: [...undeclared.sort().map((name) => `${name} is not declared by the release`), ...outside], unset };
}

/**
 * Every declared variable with its value at this site: what the site sets, else the default.
 *
 * @throws TrustError `SITE_VARIABLES` naming each variable that is missing, out of its range, or not declared
 */
export function renderVariables(declared: readonly DeclaredVariable[], set: SiteVariables): SiteVariables {
  const { wrong, unset } = variableProblems(declared, set);
  const problems = [...wrong, ...unset.map((name) => `${name} has no default and is not set`)];
  if (problems.length > 0)
    throw new TrustError(
      'SITE_VARIABLES',
      `render the variables of this site: expected a value in its range for each, got: ${problems.join('; ')}`,
    );
  return Object.fromEntries(declared.map(({ name, default: usual }) => [name, valueOf(set, name) ?? usual ?? '']));
}

function valueOf(set: SiteVariables, name: string): VariableValue | undefined {
  return Object.hasOwn(set, name) ? set[name] : undefined;
}
