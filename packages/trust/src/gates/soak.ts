/** Soak: the release has been in the stage before for a time, proved by witnesses at both ends. */
import type { Check } from '@sealane/core';
import { z } from 'zod';
import { secondsToTime, timeToSeconds } from '../time.js';
import { failed, passed, pending } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { type StagePassage, stagePassages } from './stage-order.js';

/** A soak of more than a year is a mistake of units. */
const MAX_SECONDS = 366 * 86_400;

const amount = z.int().min(1).max(MAX_SECONDS).exactOptional();
const configSchema = z
  .strictObject({ seconds: amount, minutes: amount, hours: amount, stage: z.string().min(1).max(64).exactOptional() })
  .refine(
    (config) => [config.seconds, config.minutes, config.hours].filter((value) => value !== undefined).length === 1,
    'expected exactly one of seconds, minutes, hours',
  )
  .refine((config) => secondsOf(config) <= MAX_SECONDS, 'expected at most a year');

type Config = z.output<typeof configSchema>;

/** `soak` gate. Without `stage`, every stage that this one takes from counts, and the last one in decides. */
export const soakGate = defineGate({
  id: 'soak',
  summary: 'has been in the stage before for long enough',
  recheckedAtSite: true,
  reads: 'decisions',
  configSchema,
  evaluate: evaluateSoak,
});

function evaluateSoak(context: GateContext, config: Config): Check {
  const id = soakGate.id;
  const link = context.policy.chain.find((each) => each.stage === context.stage);
  const stages = config.stage === undefined ? (link?.from ?? []) : [config.stage];
  const seconds = secondsOf(config);
  const expected = `${seconds} s in ${stages.join(', ') || 'a stage before'} before ${context.stage}`;
  const passages = stagePassages(context).filter(({ stage }) => stages.includes(stage));
  const evidence = passages.flatMap(({ decision }) => (decision === undefined ? [] : [decision.from.digest]));
  const absent = stages.find((stage) => passages.find((each) => each.stage === stage)?.decision === undefined);
  if (stages.length === 0 || absent !== undefined) {
    const actual = absent === undefined ? `${context.stage} takes from no stage` : `no decision of ${absent} that counts`;
    return failed(id, {
      expected,
      actual,
      remedy: `sealane promote ${context.release} --to ${absent ?? context.stage}`,
      evidence,
      code: 'WAYBILL_STAGE_ORDER',
    });
  }
  const begin = soakBegin(passages);
  if (begin === undefined) {
    return pending(id, {
      expected,
      actual: 'the decision before is not witnessed yet',
      remedy: 'sealane publish --refresh',
      evidence,
      code: 'LOG_WITNESS',
    });
  }
  const over = timeToSeconds(context.time.lowest) - begin;
  if (over >= seconds) return passed(id, { expected, actual: `${over} s`, evidence });
  const earliest = secondsToTime(begin + seconds);
  const words = {
    expected,
    actual: `${Math.max(0, over)} s so far`,
    remedy: `wait until ${earliest}, then: sealane promote ${context.release} --to ${context.stage}`,
    evidence,
    code: 'WAYBILL_SOAK' as const,
  };
  return pending(id, { ...words, earliest });
}

/** The latest time at which a stage's decision was surely in the log: a witness that backdates cannot shorten a soak. */
function soakBegin(passages: readonly StagePassage[]): number | undefined {
  const begins = passages.map(({ decision }) => decision?.from.witnessed?.highest);
  return begins.includes(undefined) ? undefined : Math.max(...begins.map((time) => timeToSeconds(time ?? '')));
}

function secondsOf(config: { readonly seconds?: number; readonly minutes?: number; readonly hours?: number }): number {
  return (config.seconds ?? 0) + 60 * (config.minutes ?? 0) + 3600 * (config.hours ?? 0);
}
