/**
 * What a release declares about itself: the dependencies it talks to, the variables that a site may set, the secrets that it needs, the class of its workload. It is part of the release manifest,
 * so the release's digest covers it and every approval is about it.
 */
import { TrustError } from '@sealane/core';
import { z } from 'zod';
import { nameShape, textShape } from '../../policy/shapes.js';
import { type WorkloadClass, workloadClassShape } from '../../policy/workload-class.js';

/** How much hangs on a dependency. The gate `fidelity` asks for its rung by this word. */
export const CRITICALITIES = ['high', 'medium', 'low'] as const;
export type Criticality = (typeof CRITICALITIES)[number];

/** Something outside the release that it needs: a PLC, a broker, an upstream service. */
export type DeclaredDependency = {
  readonly name: string;
  readonly criticality: Criticality;
};

/** A value that a site sets, as YAML and JSON have it. */
export type VariableValue = string | number | boolean;

/**
 * A variable with its type and range: `min` and `max` (both) of integer and number, `maxLength` (UTF-16 units) of text, `choices` of choice, none of boolean.
 * Without a `default` each site has to set it.
 */
export type DeclaredVariable = {
  readonly name: string;
  readonly type: 'integer' | 'number' | 'boolean' | 'text' | 'choice';
  readonly min?: number;
  readonly max?: number;
  readonly maxLength?: number;
  readonly choices?: readonly string[];
  readonly default?: VariableValue;
};

/** The declaration. An absent list was not declared, which is not the same as an empty one. */
export type ReleaseDeclaration = {
  readonly dependencies?: readonly DeclaredDependency[];
  readonly variables?: readonly DeclaredVariable[];
  /** Names of secrets; their values are sealed to each site, and never part of a release. */
  readonly secrets?: readonly string[];
  readonly class?: WorkloadClass;
};

/** Most dependencies or variables of one release: the manifest carries them. */
const MAX_DECLARED = 256;
/** Most secrets of one release, and of one site: each is a file of its workload. */
export const MAX_SECRETS = 64;
/** Longest value of a variable, in UTF-16 units: longer is a file, which belongs into the release. */
const MAX_VALUE = 1024;
/** Numbers that JSON keeps exact. */
const exactNumber = z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const valueText = textShape.max(MAX_VALUE);

/** A variable's name; the workload sees it as `SEALANE_VAR_NAME`. */
export const variableNameShape = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'expected capital letters, digits and underscores');

/** Zod's shape of a value. */
export const variableValueShape = z.union([valueText, exactNumber, z.boolean()]);

const variableShape = z.strictObject({
  name: variableNameShape,
  type: z.enum(['integer', 'number', 'boolean', 'text', 'choice']),
  min: exactNumber.exactOptional(),
  max: exactNumber.exactOptional(),
  maxLength: z.int().min(1).max(MAX_VALUE).exactOptional(),
  choices: z.array(valueText.min(1)).min(1).max(64).exactOptional(),
  default: variableValueShape.exactOptional(),
});

/** Zod's shape of the declaration; `checkDeclaration` holds its parts together. */
export const declarationShape = z.strictObject({
  dependencies: z
    .array(z.strictObject({ name: nameShape, criticality: z.enum(CRITICALITIES) }))
    .max(MAX_DECLARED)
    .exactOptional(),
  variables: z.array(variableShape).max(MAX_DECLARED).exactOptional(),
  secrets: z.array(nameShape).max(MAX_SECRETS).exactOptional(),
  class: workloadClassShape.exactOptional(),
});

/** The limits that each type has, and no other. */
const LIMITS_OF: Readonly<Record<DeclaredVariable['type'], readonly (keyof DeclaredVariable)[]>> = {
  integer: ['min', 'max'],
  number: ['min', 'max'],
  boolean: [],
  text: ['maxLength'],
  choice: ['choices'],
};
const LIMIT_FIELDS = ['min', 'max', 'maxLength', 'choices'] as const;

/**
 * Checks what the shape cannot say: names once, each variable with the limits of its type, a default within them.
 *
 * @throws TrustError `TRUST_MALFORMED`
 */
export function checkDeclaration({ dependencies = [], variables = [], secrets = [] }: ReleaseDeclaration): void {
  const named = {
    dependency: dependencies.map(({ name }) => name),
    variable: variables.map(({ name }) => name),
    secret: secrets,
  };
  for (const [what, names] of Object.entries(named)) {
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw malformed(`expected each ${what} once, got ${twice} again`);
  }
  for (const variable of variables) checkVariable(variable);
}

function checkVariable(variable: DeclaredVariable): void {
  const { name, type, min, max } = variable;
  const wanted = LIMITS_OF[type];
  const wrong = LIMIT_FIELDS.find((field) => wanted.includes(field) !== (variable[field] !== undefined));
  if (wrong !== undefined) {
    const limits = wanted.length === 0 ? 'no limits' : wanted.join(' and ');
    throw malformed(
      `variable ${name}: expected ${limits} for type ${type}, got it ${wanted.includes(wrong) ? 'without' : 'with'} ${wrong}`,
    );
  }
  if (min !== undefined && max !== undefined && min > max) throw malformed(`variable ${name}: expected min ≤ max, got ${min} and ${max}`);
  const problem = variable.default === undefined ? undefined : problemOfValue(variable, variable.default);
  if (problem !== undefined) throw malformed(`variable ${name}: its default: ${problem}`);
}

/** Why a value is not one of this variable; undefined when it is. */
export function problemOfValue(variable: DeclaredVariable, value: VariableValue): string | undefined {
  const { type, min = 0, max = 0, maxLength = 0, choices = [] } = variable;
  const got = JSON.stringify(value).slice(0, 120);
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value) && inRange(value, min, max) ? undefined : `expected a whole number ${min}–${max}, got ${got}`;
    case 'number':
      return inRange(value, min, max) ? undefined : `expected a number ${min}–${max}, got ${got}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected true or false, got ${got}`;
    case 'text':
      return typeof value === 'string' && value.length <= maxLength
        ? undefined
        : `expected a text of at most ${maxLength} characters, got ${got}`;
    case 'choice':
      return typeof value === 'string' && choices.includes(value) ? undefined : `expected one of ${choices.join(', ')}, got ${got}`;
  }
}

function inRange(value: VariableValue, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

function malformed(why: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `read what a release declares: ${why}`);
}
