/**
 * Recurring spans of time in a zone (RFC 5545): wall-clock starts by the rule, each of which lasts a fixed time.
 *
 * The rule is expanded without a zone and each start is then placed in it by RFC 5545 section 3.3.5: a start that the clock skips is that
 * long after the gap, one that comes twice is the first. The library by itself leaves out what the clock skips, and so a freeze would not begin.
 */
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';

/** A span as policy writes it. `start` is local wall-clock time; without `rule` it comes once. */
export interface RecurringSpan {
  readonly start: string;
  readonly timeZone: string;
  readonly rule?: string;
  readonly seconds: number;
}

/** One occurrence, in seconds since 1970: `from` is in it, `to` no more. */
export interface Occurrence {
  readonly from: number;
  readonly to: number;
}

/** Looks around a time for occurrences that are open at it or come after it. */
export interface Recurrence {
  /** The occurrence that holds the time and lasts longest. */
  readonly openAt: (seconds: number) => Occurrence | undefined;
  /** The first occurrence that begins after the time. */
  readonly nextAfter: (seconds: number) => Occurrence | undefined;
}

/** Parts of a rule that say days; what repeats within a day is no window. */
const PARTS: readonly string[] = [
  'FREQ',
  'INTERVAL',
  'COUNT',
  'UNTIL',
  'BYDAY',
  'BYMONTHDAY',
  'BYYEARDAY',
  'BYWEEKNO',
  'BYMONTH',
  'BYSETPOS',
  'WKST',
];
const FREQUENCIES: readonly string[] = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
/** Steps of a rule before it is given up: a daily one of 27 years. A rule that never occurs would go on for ever. */
const MAX_ITERATIONS = 10_000;
/** No zone is further from UTC than 14 hours, and no gap longer than a day. */
const ZONE_SLACK_SECONDS = 2 * 86_400;

/**
 * Reads a span. A rule that never occurs, or has parts that are not read, is refused: a freeze must not be silent.
 *
 * @throws RangeError naming what is wrong
 */
export function readRecurrence(span: RecurringSpan): Recurrence {
  const first = Temporal.PlainDateTime.from(span.start, { overflow: 'reject' });
  const place = (local: Temporal.PlainDateTime): Occurrence => {
    const from = Math.floor(local.toZonedDateTime(span.timeZone, { disambiguation: 'compatible' }).epochMilliseconds / 1000);
    return { from, to: from + span.seconds };
  };
  place(first);
  if (span.rule === undefined) return once(place(first));
  checkRule(span.rule);
  const rule = new RRuleTemporal<Temporal.ZonedDateTime>({
    rruleString: `DTSTART:${stamp(first)}Z\nRRULE:${span.rule}`,
    maxIterations: MAX_ITERATIONS,
    temporal: Temporal,
  });
  const between = (from: number, to: number): readonly Occurrence[] =>
    rule.between(new Date(from * 1000), new Date(to * 1000), true).map((each) => place(each.toPlainDateTime()));
  const next = (seconds: number): Occurrence | undefined => {
    let after = seconds - ZONE_SLACK_SECONDS;
    for (let tries = 0; tries < 8; tries += 1) {
      const found = rule.next(new Date(after * 1000), false);
      if (found === null) return undefined;
      const occurrence = place(found.toPlainDateTime());
      if (occurrence.from > seconds) return occurrence;
      after = Math.floor(found.epochMilliseconds / 1000);
    }
    return undefined;
  };
  if (rule.next(new Date(Date.UTC(first.year, first.month - 1, first.day - 3)), true) === null)
    throw new RangeError('a rule that never occurs');
  return {
    openAt: (seconds) =>
      longest(
        between(seconds - span.seconds - ZONE_SLACK_SECONDS, seconds + ZONE_SLACK_SECONDS).filter(
          ({ from, to }) => from <= seconds && seconds < to,
        ),
      ),
    nextAfter: next,
  };
}

function once(occurrence: Occurrence): Recurrence {
  return {
    openAt: (seconds) => (occurrence.from <= seconds && seconds < occurrence.to ? occurrence : undefined),
    nextAfter: (seconds) => (occurrence.from > seconds ? occurrence : undefined),
  };
}

function longest(occurrences: readonly Occurrence[]): Occurrence | undefined {
  return [...occurrences].sort((left, right) => right.to - left.to)[0];
}

/** The library passes over what it does not know; a misspelt part would widen a window. */
function checkRule(rule: string): void {
  const parts = rule.split(';').map((part) => part.split('='));
  const names = parts.map(([name = '']) => name);
  const unknown = parts.find(
    ([name = '', value = '', more]) => !PARTS.includes(name) || !/^[A-Z0-9,+-]+$/.test(value) || more !== undefined,
  );
  if (unknown !== undefined) throw new RangeError(`a rule of the parts ${PARTS.join(', ')}, got ${unknown.join('=')}`);
  if (new Set(names).size !== names.length) throw new RangeError('a rule with each part once');
  const frequency = parts.find(([name]) => name === 'FREQ')?.[1];
  if (frequency === undefined || !FREQUENCIES.includes(frequency)) throw new RangeError(`a rule with FREQ of ${FREQUENCIES.join(', ')}`);
}

function stamp(time: Temporal.PlainDateTime): string {
  return time.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
}
