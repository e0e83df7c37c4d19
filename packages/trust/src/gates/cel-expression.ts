/** What can be said of a CEL expression before it is evaluated: how large it is, which names it reads, and that every field it reads exists. */
import { parse } from '@bufbuild/cel';
import { TrustError } from '@sealane/core';

/** An expression as the parser gives it. */
export type CelAst = ReturnType<typeof parse>['expr'];

/** Parts of an expression: what an approver can still read. */
const MAX_NODES = 500;
/** Loops inside loops: with the bounds below, an evaluation ends in seconds, and always after the same steps. */
const MAX_LOOPS = 2;
/** Steps of the innermost loop. */
const MAX_STEPS = 1_000_000;
/** Parts that are evaluated, each as often as the loops around it go round: 0.1 to 0.2 µs each. Some comparisons in two loops over a thousand packages fit. */
const MAX_EVALUATED = 30_000_000;

/** Parses. @throws Error by the library: no CEL */
export function astOf(expression: string): CelAst {
  return parse(expression).expr;
}

/** @throws TrustError `CONFIG_INVALID` too large, or loops nested too deeply */
export function checkShape(ast: CelAst): void {
  const nodes = countNodes(ast);
  if (nodes > MAX_NODES) throw new TrustError('CONFIG_INVALID', `expected at most ${MAX_NODES} parts, got ${nodes}`);
  if (loopDepth(ast) > MAX_LOOPS) throw new TrustError('CONFIG_INVALID', `expected at most ${MAX_LOOPS} loops inside each other`);
}

/** Whether an evaluation ends within the bounds where its loops go over lists of at most this length. */
export function isBounded(ast: CelAst, longestList: number): boolean {
  return longestList ** loopDepth(ast) <= MAX_STEPS && evaluatedParts(ast, longestList) <= MAX_EVALUATED;
}

function evaluatedParts(ast: CelAst, rounds: number): number {
  const { exprKind } = ast;
  const repeated = exprKind.case === 'comprehensionExpr' ? [exprKind.value.loopCondition, exprKind.value.loopStep] : [];
  return childrenOf(ast).reduce(
    (sum, child) => sum + evaluatedParts(child, rounds) * (repeated.includes(child) ? Math.max(rounds, 1) : 1),
    1,
  );
}

/** The names that an expression reads and does not bind itself, each once. */
export function variablesOf(ast: CelAst, bound: readonly string[] = []): readonly string[] {
  const { exprKind } = ast;
  if (exprKind.case === 'identExpr') return bound.includes(exprKind.value.name) ? [] : [exprKind.value.name];
  const inner = loopNames(ast);
  const names = childrenOf(ast).flatMap((child) => variablesOf(child, [...bound, ...inner]));
  return [...new Set(names)];
}

/**
 * Checks every field that is read against a sample of what the names stand for; of a list the sample is its first item. `||` would pass over
 * a field that is not there.
 *
 * @throws TrustError `CONFIG_INVALID`
 */
export function checkFields(ast: CelAst, samples: Readonly<Record<string, unknown>>): unknown {
  const { exprKind } = ast;
  if (exprKind.case === 'identExpr') return samples[exprKind.value.name];
  if (exprKind.case === 'comprehensionExpr') {
    const { iterRange, iterVar, iterVar2 } = exprKind.value;
    const range = iterRange === undefined ? undefined : checkFields(iterRange, samples);
    const item: unknown = Array.isArray(range) ? range[0] : undefined;
    const inside = { ...samples, [iterVar]: iterVar2 === '' ? item : undefined, ...(iterVar2 === '' ? {} : { [iterVar2]: item }) };
    for (const child of childrenOf(ast).filter((each) => each !== iterRange)) checkFields(child, inside);
    return undefined;
  }
  const values = childrenOf(ast).map((child) => checkFields(child, samples));
  if (exprKind.case === 'callExpr' && exprKind.value.function === '_[_]') return Array.isArray(values[0]) ? values[0][0] : undefined;
  if (exprKind.case !== 'selectExpr') return undefined;
  const [operand] = values;
  const { field } = exprKind.value;
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand)) return undefined;
  const known = Object.entries(operand);
  const found = known.find(([name]) => name === field);
  if (found === undefined)
    throw new TrustError('CONFIG_INVALID', `expected one of the fields ${known.map(([name]) => name).join(', ')}, got ${field}`);
  return found[1];
}

function countNodes(ast: CelAst): number {
  return childrenOf(ast).reduce((sum, child) => sum + countNodes(child), 1);
}

function loopDepth(ast: CelAst): number {
  const inner = Math.max(0, ...childrenOf(ast).map(loopDepth));
  return inner + (ast.exprKind.case === 'comprehensionExpr' ? 1 : 0);
}

function loopNames({ exprKind }: CelAst): readonly string[] {
  if (exprKind.case !== 'comprehensionExpr') return [];
  const { iterVar, iterVar2, accuVar } = exprKind.value;
  return [iterVar, iterVar2, accuVar].filter((name) => name !== '');
}

function childrenOf({ exprKind }: CelAst): readonly CelAst[] {
  const parts = ((): readonly (CelAst | undefined)[] => {
    switch (exprKind.case) {
      case 'selectExpr':
        return [exprKind.value.operand];
      case 'callExpr':
        return [exprKind.value.target, ...exprKind.value.args];
      case 'listExpr':
        return exprKind.value.elements;
      case 'structExpr':
        return exprKind.value.entries.flatMap(({ keyKind, value }) => [keyKind.case === 'mapKey' ? keyKind.value : undefined, value]);
      case 'comprehensionExpr': {
        const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
        return [iterRange, accuInit, loopCondition, loopStep, result];
      }
      default:
        return [];
    }
  })();
  return parts.filter((part) => part !== undefined);
}
