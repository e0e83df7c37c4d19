/** Damage of the program that runs, on its disk: found where something went wrong, and when it ends. The launcher, which starts another one then, does the rest. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandCall } from '@sealane/core/command-line';
import { isWholeProgram } from './program-sums.js';
import { programPlace } from './slots.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Whether this program is still what was laid down. One of a package is the package's to look after. */
function isWhole(env: Env): boolean {
  const place = programPlace(env);
  return place === undefined || place.own === '' || isWholeProgram(path.join(place.folder, place.own), 'but-node');
}

/** Ends the daemon if its program is damaged. */
export function endIfDamaged({ io }: CommandCall, replaced: AbortController): void {
  if (replaced.signal.aborted || isWhole(io.env)) return;
  io.talk('the program of the updater is damaged on this disk: it ends, and what takes its place is started\n');
  replaced.abort();
}

/** Tells the launcher that this program came to its end and is whole: the next start does not read all of it again. */
export function leaveMark(env: Env): void {
  const { SEALANE_WHOLE: mark, SEALANE_TREE: own = '' } = env;
  if (mark === undefined || own === '' || !isWhole(env)) return;
  try {
    writeFileSync(mark, `${own}\n`);
  } catch (error) {
    // without it the launcher reads once more
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
