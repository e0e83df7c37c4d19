/** Where the enumerations write down what they found, one line of JSON each: a run that is broken off loses nothing. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/run.js';

const FOLDER = path.join(ROOT, '.reliability');

/** A new file of results. */
export function resultsFile(name: string): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = path.join(FOLDER, name);
  rmSync(file, { force: true });
  return file;
}

/** The results that are there; none when nothing ran yet. */
export function readResults(name: string): readonly unknown[] {
  const file = path.join(FOLDER, name);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

const began = Date.now();

/** Whether the minutes that SEALANE_RELIABILITY_MINUTES allows to each enumeration are over; without it there is no limit. */
export function timeIsUp(): boolean {
  const minutes = process.env['SEALANE_RELIABILITY_MINUTES'];
  return minutes !== undefined && Date.now() - began > Number(minutes) * 60_000;
}
