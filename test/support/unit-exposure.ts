/** How open a unit that is not installed leaves its service, by systemd's own judgement. */
import { existsSync } from 'node:fs';
import { requireProgram } from './require-program.js';
import { runProgram } from './run.js';

/** It makes itself this folder where systemd did not start the machine, which an ordinary user may not. */
const FOLDER = '/run/systemd';

/** The path of `systemd-analyze`, or undefined where it is not, or cannot judge. */
export const analyze = existsSync(FOLDER) || process.getuid?.() === 0 ? requireProgram('systemd-analyze') : undefined;

/** Ends with 0 where the exposure is at most so many tenths. */
export function judgeUnit(file: string, most: number): ReturnType<typeof runProgram> {
  return runProgram(analyze ?? '', ['security', '--offline=true', `--threshold=${most}`, file]);
}
