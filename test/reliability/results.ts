/**
 * Where the enumerations keep what they found, one line of JSON each: a run that is broken off loses nothing, and the next one of the same programs goes on
 * where it was. What other programs gave is never mixed in.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/run.js';

const FOLDER = path.join(ROOT, '.reliability');

/** What the programs of a site are made from. */
const SOURCES = ['core', 'trust', 'oci', 'site'].map((name) => `packages/${name}/src`);
const NO_TESTS = [':(exclude,glob)packages/**/*.test.ts', ':(exclude,glob)packages/**/testing/**'];
const MADE_FROM = ['bin/bundle.mjs', 'package-lock.json', ...SOURCES, ...NO_TESTS];

const git = (...words: readonly string[]): string => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim();

let version: string | undefined;

/** The commit that changed a site's programs last; `…+` when they were changed since. */
export function programsOf(): string {
  version ??= `${git('log', '-1', '--format=%h', '--', ...MADE_FROM)}${git('status', '--porcelain', '--', ...MADE_FROM) === '' ? '' : '+'}`;
  return version;
}

/** The folder of what these programs gave. */
export function resultsFolder(): string {
  const folder = path.join(FOLDER, programsOf());
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** What a part found, and a way to add to it. */
export interface Results<T> {
  readonly before: readonly T[];
  add(one: T): void;
}

/** Opens the results of a part. Those of changed sources are not kept: nobody could say what gave them. */
export function openResults<T>(name: string, { again = false }: { readonly again?: boolean } = {}): Results<T> {
  const file = path.join(resultsFolder(), name);
  if (again || programsOf().endsWith('+')) rmSync(file, { force: true });
  return { before: readResults(name) as readonly T[], add: (one) => appendFileSync(file, `${JSON.stringify(one)}\n`) };
}

/** The results that are there; none when nothing ran yet. */
export function readResults(name: string): readonly unknown[] {
  const file = path.join(resultsFolder(), name);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  // what follows the last newline is no line yet
  return lines.slice(0, -1).map((line) => JSON.parse(line) as unknown);
}

const began = Date.now();

/** Whether the minutes that SEALANE_RELIABILITY_MINUTES allows to each enumeration are over; without it there is no limit. */
export function timeIsUp(): boolean {
  const minutes = process.env['SEALANE_RELIABILITY_MINUTES'];
  return minutes !== undefined && Date.now() - began > Number(minutes) * 60_000;
}

/** Which part of the work is this process's, of how many: `SEALANE_RELIABILITY_SHARE=2/3`. */
const [SHARE = 1, SHARES = 1] = (process.env['SEALANE_RELIABILITY_SHARE'] ?? '1/1').split('/').map(Number);

/** Whether what is named so is this process's to do: several can share a part and add to the same results. */
export function isOurs(name: string): boolean {
  return createHash('sha256').update(name).digest().readUInt32LE(0) % SHARES === SHARE - 1;
}
