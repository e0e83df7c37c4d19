/** Maintenance windows of a site: when a release that was laid down may take the place of the one that runs. Local wall-clock times, by the zone's own rules. Pure. */

/** Days of the week, as `Intl` names them in English, in lower case. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

/** A span of local time that begins on these days; one that ends at or before it begins ends on the next day. */
export interface MaintenanceWindow {
  readonly days: readonly Day[];
  /** `HH:MM`. */
  readonly from: string;
  readonly to: string;
}

export interface MaintenanceWindows {
  /** IANA name. */
  readonly timeZone: string;
  readonly open: readonly MaintenanceWindow[];
}

/** A week and a day: each window comes at least once in it. */
const LOOK_AHEAD_MINUTES = 8 * 24 * 60;
const MINUTE_MS = 60_000;

/** Whether a zone of that name is known on this host. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether a window is open at a time (RFC 3339); without windows it always is. */
export function isOpen(windows: MaintenanceWindows | undefined, time: string): boolean {
  if (windows === undefined) return true;
  const local = localClock(windows.timeZone);
  return windows.open.some((window) => covers(window, local(Date.parse(time))));
}

/** The first minute from `time` on at which a window is open (RFC 3339); null when none opens within eight days. */
export function nextOpen(windows: MaintenanceWindows, time: string): string | null {
  const local = localClock(windows.timeZone);
  const first = Math.ceil(Date.parse(time) / MINUTE_MS);
  for (let minute = first; minute < first + LOOK_AHEAD_MINUTES; minute += 1) {
    const at = local(minute * MINUTE_MS);
    if (windows.open.some((window) => covers(window, at))) return new Date(minute * MINUTE_MS).toISOString().replace('.000Z', 'Z');
  }
  return null;
}

interface LocalTime {
  readonly day: Day;
  readonly minutes: number;
}

/** Day and minute of the day that clocks in the zone show at a moment (milliseconds since 1970). */
function localClock(timeZone: string): (ms: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const day = DAYS.find((name) => name === parts.get('weekday')?.toLowerCase()) ?? 'mon';
    return { day, minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
  };
}

function covers({ days, from, to }: MaintenanceWindow, { day, minutes }: LocalTime): boolean {
  const [start, end] = [minutesOf(from), minutesOf(to)];
  const isDay = (name: Day): boolean => days.includes(name);
  if (start < end) return isDay(day) && minutes >= start && minutes < end;
  // over midnight: its first part belongs to the day it begins on, its second to the day after
  return (isDay(day) && minutes >= start) || (isDay(dayBefore(day)) && minutes < end);
}

function dayBefore(day: Day): Day {
  return DAYS[(DAYS.indexOf(day) + DAYS.length - 1) % DAYS.length] ?? day;
}

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}
