/** What a long run of updates is held to. */

/** Updates in a row. */
export const UPDATES = 200;

/** Until here the updater itself is killed too; then it lives on, so that what it leaks adds up. */
export const KILLS_END = UPDATES / 4;

/** From here on it is warm: V8 lets the heap of a process that is never idle grow for some dozens of updates before it collects it as a whole. */
export const WARM = UPDATES / 2;

/** Rounds of a level. */
export const LEVEL = 20;

/** What the updater held when an update had arrived. `memoryBytes` is the process's own (RssAnon). */
export interface SoakRound {
  readonly round: number;
  readonly fault: 'none' | 'killed' | 'no network' | 'broken release';
  readonly memoryBytes: number;
  readonly files: number;
  /** Files below the state folder. */
  readonly diskBytes: number;
}

/** The median of some rounds; of open files the least, as a poll that is under way has some of its own, and what leaks is in the least too. */
export function level(rounds: readonly SoakRound[], what: 'memoryBytes' | 'files' | 'diskBytes'): number {
  const values = rounds.map((round) => round[what]).sort((left, right) => left - right);
  return values[what === 'files' ? 0 : Math.floor(values.length / 2)] ?? Number.NaN;
}
