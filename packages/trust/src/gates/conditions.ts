/** Measured conditions: for each link profile that policy names, every number is measured and within its bound. */
import { type Check, counted } from '@sealane/core';
import { z } from 'zod';
import { nameShape } from '../policy/shapes.js';
import { type LinkConditions, millisecondsShape, percentShape } from '../reports/conditions.js';
import { failed, passed } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { documentedRuns } from './run-documents.js';

/** Upper bounds of one profile. All but failover are asked for: what is not bounded would pass whatever it is. */
const boundsShape = z.strictObject({
  profile: nameShape,
  minSamples: z.int().min(1).default(1),
  latencyMs: z.strictObject({ p50: millisecondsShape, p95: millisecondsShape, p99: millisecondsShape }),
  jitterMs: millisecondsShape,
  lossPercent: percentShape,
  retransmitPercent: percentShape,
  failoverMs: millisecondsShape.exactOptional(),
});
type Bounds = z.output<typeof boundsShape>;

const configSchema = z.strictObject({
  profiles: z
    .array(boundsShape)
    .min(1)
    .max(64)
    .refine((list) => new Set(list.map(({ profile }) => profile)).size === list.length, 'expected each profile once'),
});

type Config = z.output<typeof configSchema>;

/** `conditions` gate. */
export const conditionsGate = defineGate({
  id: 'conditions',
  summary: 'what was measured under each link profile is within its bounds',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateConditions,
});

function evaluateConditions(context: GateContext, { profiles }: Config): Check {
  const id = conditionsGate.id;
  const expected = `measured within bounds: ${profiles.map(({ profile }) => profile).join(', ')}`;
  const remedy = `sealane evidence add ${context.release} --tests junit.xml --conditions conditions.yaml --key LAB`;
  const found = documentedRuns(context, 'conditions', context.conditions, 'EVIDENCE_CONDITIONS');
  const { evidence } = found;
  if (!found.ok) return failed(id, { expected, remedy, evidence, actual: found.problem.why, code: found.problem.code });
  const measured = found.runs.flatMap(({ document }) => document.profiles);
  const wrong = profiles.flatMap((bounds) => problemsOf(bounds, measured));
  if (wrong.length > 0) return failed(id, { expected, remedy, evidence, actual: wrong.join('; '), code: 'EVIDENCE_CONDITIONS' });
  return passed(id, {
    expected,
    actual: `${counted(profiles.length, 'profile')} within ${profiles.length === 1 ? 'its' : 'their'} bounds`,
    evidence,
  });
}

/** The last measurement of a profile counts: a good one before it does not hide it. */
function problemsOf(bounds: Bounds, measured: readonly LinkConditions[]): readonly string[] {
  const last = measured.filter(({ profile }) => profile === bounds.profile).at(-1);
  if (last === undefined) return [`${bounds.profile}: not measured`];
  const numbers: readonly (readonly [string, number | null, number | undefined])[] = [
    ['latencyMs.p50', last.latencyMs.p50, bounds.latencyMs.p50],
    ['latencyMs.p95', last.latencyMs.p95, bounds.latencyMs.p95],
    ['latencyMs.p99', last.latencyMs.p99, bounds.latencyMs.p99],
    ['jitterMs', last.jitterMs, bounds.jitterMs],
    ['lossPercent', last.lossPercent, bounds.lossPercent],
    ['retransmitPercent', last.retransmitPercent, bounds.retransmitPercent],
    ['failoverMs', last.failoverMs, bounds.failoverMs],
  ];
  const few =
    last.samples < bounds.minSamples
      ? [`${bounds.profile}: ${counted(last.samples, 'sample')}, at least ${bounds.minSamples} asked for`]
      : [];
  return [...few, ...numbers.flatMap(([name, value, bound]) => problemOf(`${bounds.profile}: ${name}`, value, bound))];
}

/** Written so that anything but a number within the bound is a problem. */
function problemOf(name: string, value: number | null, bound: number | undefined): readonly string[] {
  if (bound === undefined) return [];
  if (value === null) return [`${name} was not measured`];
  return value >= 0 && value <= bound ? [] : [`${name} ${value}, at most ${bound}`];
}
