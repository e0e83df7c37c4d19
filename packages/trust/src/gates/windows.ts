/** Windows: promotions happen when a window is open and no freeze stands, by the time that witnesses gave. */
import { type Check, counted } from '@sealane/core';
import { z } from 'zod';
import { secondsToTime, timeToSeconds } from '../time.js';
import { failed, passed, pending } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';
import { type Occurrence, readRecurrence, type Recurrence } from './recurrence.js';

/** A window of more than a year is a mistake of units. */
const MAX_SECONDS = 366 * 86_400;

const amount = z.int().min(1).max(MAX_SECONDS).exactOptional();

const spanFields = {
  /** Local wall-clock time of the first start, as 2026-01-05T08:00. */
  start: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/, 'expected a local time as 2026-01-05T08:00'),
  /** How it comes again (RFC 5545), as FREQ=WEEKLY;BYDAY=MO,TU; once without. */
  rule: z.string().min(1).max(500).exactOptional(),
  timeZone: z.string().min(1).max(64).exactOptional(),
  minutes: amount,
  hours: amount,
  days: amount,
} as const;

type SpanConfig = z.output<z.ZodObject<typeof spanFields>>;

const configSchema = z
  .strictObject({
    /** IANA name of the zone of every span that names none. */
    timeZone: z.string().min(1).max(64),
    /** Without any, every time that is not frozen is open. */
    allow: z.array(z.strictObject(spanFields)).max(64).default([]),
    freeze: z
      .array(z.strictObject({ ...spanFields, reason: z.string().min(1).max(500) }))
      .max(64)
      .default([]),
  })
  .refine(({ allow, freeze }) => allow.length + freeze.length > 0, 'expected at least one of allow and freeze')
  .superRefine(({ timeZone, allow, freeze }, issues) => {
    for (const [name, list] of [['allow', allow] as const, ['freeze', freeze] as const]) {
      list.forEach((span, at) => {
        const problem = problemOf(span, timeZone);
        if (problem !== undefined) issues.addIssue({ code: 'custom', path: [name, at], message: problem });
      });
    }
  });

type Config = z.output<typeof configSchema>;

/** `windows` gate. */
export const windowsGate = defineGate({
  id: 'windows',
  summary: 'a promotion window is open, and no freeze stands',
  recheckedAtSite: false,
  reads: 'decisions',
  configSchema,
  evaluate: evaluateWindows,
});

interface Spans {
  readonly allow: readonly Recurrence[];
  readonly freeze: readonly (Recurrence & { readonly reason: string })[];
}

function evaluateWindows(context: GateContext, config: Config): Check {
  const id = windowsGate.id;
  const spans: Spans = {
    allow: config.allow.map((span) => readRecurrence(spanOf(span, config.timeZone))),
    freeze: config.freeze.map((span) => ({ ...readRecurrence(spanOf(span, config.timeZone)), reason: span.reason })),
  };
  const [lowest, highest] = [timeToSeconds(context.time.lowest), timeToSeconds(context.time.highest)];
  const expected = `an open window of ${config.allow.length === 0 ? 'any time' : `${config.allow.length}`}, none of ${counted(config.freeze.length, 'freeze')} (${config.timeZone})`;
  // A quorum's times are a span: no witness can choose the end at which a window is open.
  const closed = whyClosed(spans, lowest) ?? whyClosed(spans, highest);
  if (closed === undefined) return passed(id, { expected, actual: `open at ${context.time.highest}`, evidence: [] });
  const opens = nextOpen(spans, highest);
  if (opens === undefined) {
    const remedy = 'name a window that opens in the pipeline, then: sealane trust propose';
    return failed(id, { expected, actual: `${closed}, and no window opens again`, remedy, evidence: [], code: 'GATE_WINDOW' });
  }
  const earliest = secondsToTime(opens);
  const remedy = `wait until ${earliest}, then: sealane promote ${context.release} --to ${context.stage}`;
  return pending(id, { expected, actual: closed, remedy, evidence: [], code: 'GATE_WINDOW', earliest });
}

function whyClosed({ allow, freeze }: Spans, seconds: number): string | undefined {
  const frozen = freeze.find((span) => span.openAt(seconds) !== undefined);
  if (frozen !== undefined) return `frozen at ${secondsToTime(seconds)}: ${frozen.reason}`;
  const isOpen = allow.length === 0 || allow.some((span) => span.openAt(seconds) !== undefined);
  return isOpen ? undefined : `no window is open at ${secondsToTime(seconds)}`;
}

/** Windows and freezes that are tried before it is said that none opens: far more than a year has. */
const MAX_STEPS = 2000;

/** The first time from `seconds` on at which a window is open and nothing is frozen. */
function nextOpen({ allow, freeze }: Spans, seconds: number): number | undefined {
  let at = seconds;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    const here = at;
    const frozen = freeze.map((span) => span.openAt(here)).filter((each) => each !== undefined);
    if (frozen.length > 0) {
      at = Math.max(...frozen.map(({ to }) => to));
      continue;
    }
    if (allow.length === 0 || allow.some((span) => span.openAt(here) !== undefined)) return at;
    const starts = allow.map((span) => span.nextAfter(here)).filter((each): each is Occurrence => each !== undefined);
    if (starts.length === 0) return undefined;
    at = Math.min(...starts.map(({ from }) => from));
  }
  return undefined;
}

function spanOf({ start, rule, timeZone, ...length }: SpanConfig, zone: string): Parameters<typeof readRecurrence>[0] {
  return { start, timeZone: timeZone ?? zone, seconds: secondsOf(length), ...(rule === undefined ? {} : { rule }) };
}

function secondsOf({ minutes = 0, hours = 0, days = 0 }: { minutes?: number; hours?: number; days?: number }): number {
  return 60 * minutes + 3600 * hours + 86_400 * days;
}

/** What is wrong with a span: settings are refused when the pipeline is read, not when a freeze should have begun. */
function problemOf(span: SpanConfig, zone: string): string | undefined {
  const amounts = [span.minutes, span.hours, span.days].filter((value) => value !== undefined);
  if (amounts.length !== 1) return 'expected exactly one of minutes, hours, days';
  if (secondsOf(span) > MAX_SECONDS) return 'expected at most a year';
  try {
    readRecurrence(spanOf(span, zone));
    return undefined;
  } catch (error) {
    // the libraries throw RangeError for zones, dates and rules that are none
    return `expected a start, rule and zone that exist: ${error instanceof Error ? error.message : String(error)}`;
  }
}
