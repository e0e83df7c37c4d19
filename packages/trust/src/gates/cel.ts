/**
 * One rule of the owners' own, in CEL (https://cel.dev). Whatever is not plainly `true` refuses: an error, another type, a field that is not
 * there, evidence that is missing. The library returns errors as values, and they are truthy.
 */
import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { type Check, type Digest, type ErrorCode, TrustError } from '@sealane/core';
import { z } from 'zod';
import { CEL_VARIABLES, type CelValue, longestList, readVariable } from './cel-input.js';
import { astOf, checkFields, checkShape, isBounded, variablesOf } from './cel-expression.js';
import { failed, passed } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';

const configSchema = z
  .strictObject({
    /** What makes the message of a refusal; gates of one kind are told apart by it. */
    message: z.string().min(1).max(500),
    expression: z.string().min(1).max(4096),
  })
  .superRefine(({ expression }, issues) => {
    const problem = problemOf(expression);
    if (problem !== undefined) issues.addIssue({ code: 'custom', path: ['expression'], message: problem });
  });

type Config = z.output<typeof configSchema>;

/** `cel` gate. */
export const celGate = defineGate({
  id: 'cel',
  summary: 'an expression of the owners holds',
  recheckedAtSite: false,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateCel,
});

function evaluateCel(context: GateContext, { message, expression }: Config): Check {
  const id = celGate.id;
  const expected = `${message}: ${expression}`;
  const remedy = 'bring the evidence that the expression asks for, or mend it in the pipeline, then: sealane trust propose';
  const evidence: Digest[] = [];
  const refuse = (actual: string, code: ErrorCode): Check => failed(id, { expected, actual, remedy, evidence, code });
  const bindings: Record<string, CelValue> = {};
  const ast = astOf(expression);
  for (const name of variablesOf(ast)) {
    const read = readVariable(context, name);
    // A list that is empty makes every all() true: no evidence is no answer.
    if (!read.ok) return refuse(`${name}: ${read.problem.why}`, read.problem.code);
    bindings[name] = read.value.value;
    evidence.push(...read.value.evidence);
  }
  if (!isBounded(ast, longestList(bindings))) return refuse('the lists are too long for loops inside each other', 'GATE_RULE');
  const result = evaluate(expression, bindings);
  if (result.ok && result.value === true) return passed(id, { expected, actual: 'true', evidence });
  return refuse(result.ok ? `${describe(result.value)}, not true` : `it cannot be evaluated: ${result.why}`, 'GATE_RULE');
}

type Evaluated = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

function evaluate(expression: string, bindings: Readonly<Record<string, CelValue>>): Evaluated {
  try {
    const result: unknown = plan(celEnv(), parse(expression))(bindings);
    return isCelError(result) ? { ok: false, why: result.message } : { ok: true, value: result };
  } catch (error) {
    // the parser throws; whatever else the library throws was no `true` either
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** What is wrong with an expression: found when the pipeline is read, not when a release waits. */
function problemOf(expression: string): string | undefined {
  try {
    const ast = astOf(expression);
    checkShape(ast);
    const names = variablesOf(ast);
    const unknown = names.find((name) => !Object.hasOwn(CEL_VARIABLES, name));
    if (unknown !== undefined) return `expected the names ${Object.keys(CEL_VARIABLES).join(', ')}, got ${unknown}`;
    checkFields(ast, CEL_VARIABLES);
    const result = evaluate(expression, CEL_VARIABLES);
    if (!result.ok) return `expected an expression that can be evaluated: ${result.why}`;
    return typeof result.value === 'boolean' ? undefined : `expected true or false, got ${describe(result.value)}`;
  } catch (error) {
    if (error instanceof TrustError) return error.message;
    return `expected CEL: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function describe(value: unknown): string {
  return typeof value === 'boolean' ? String(value) : `a ${value === null ? 'null' : typeof value}`;
}
