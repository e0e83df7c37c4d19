// Timing for the benchmarks: whole processes, medians of several runs, ours and the peer's taken in turn so that both see the same machine.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Middle of a list of numbers. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Runs a program to its end, which must be exit 0; returns its time in ms and its stdout. */
export function timed(file, words, options = {}) {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(file, words, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`run ${file} ${words.join(' ')}: expected exit 0, got ${status}\n${stdout}${stderr}`);
  return { ms: performance.now() - began, stdout };
}

/** `sealane` or `sealane-site` with `--json`: its time and its object. */
export function command(program, words) {
  const { ms, stdout } = timed(process.execPath, [path.join(ROOT, 'bin', `${program}.mjs`), ...words, '--json']);
  return { ms, json: JSON.parse(stdout) };
}

/** Path of a program on PATH, or undefined. */
export function find(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // not there, or not ours to run
    return false;
  }
}

/** Rounds to three digits that matter. */
export function round(number) {
  return Number(number.toPrecision(3));
}

/** The number that so many of a hundredth parts of a list lie below. */
export function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
