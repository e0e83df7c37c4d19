/**
 * What no damage to a journal gives back: exceptions that were taken in, and the floor of parts without a way back. Its lines are read by their words, whole or
 * not: a damaged record still says what it was about. Rather too much than too little: what may have been used counts as used. Pure.
 */
import type { SiteState } from './state.js';

/** The nonce of an exception where a record names one, and the list that a snapshot has. */
const NONCE = /"nonce":"([0-9a-f]{32})"/g;
const SPENT = /"spent":\[([0-9a-f",]*)\]/g;

/** Of a release on its way in, and of what was begun. */
const COUNTER = /"counter":(\d{1,15})/g;
const FLOOR = /"oneWayFloor":(\d{1,15})/g;

/** What a new journal begins with in place of this one. `text` is all of it, latin1 as well as UTF-8: only ASCII is looked for. */
export function notGivenBack(text: string): Pick<SiteState, 'spent' | 'oneWayFloor'> {
  const listed = found(text, SPENT).flatMap((list) => list.match(/[0-9a-f]{32}/g) ?? []);
  return { spent: [...new Set([...listed, ...found(text, NONCE)])], oneWayFloor: oneWayFloor(text.split('\n')) };
}

/** Parts were begun (`saved`) of what was admitted last before. */
function oneWayFloor(lines: readonly string[]): number {
  let [floor, admitted] = [0, 0];
  for (const line of lines) {
    if (/"is":"(?:admitted|snapshot)"/.test(line)) admitted = highest(line, COUNTER);
    floor = Math.max(floor, highest(line, FLOOR), line.includes('"is":"saved"') ? admitted : 0);
  }
  return floor;
}

function highest(text: string, pattern: RegExp): number {
  return Math.max(0, ...found(text, pattern).map(Number));
}

function found(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, value = '']) => value);
}
