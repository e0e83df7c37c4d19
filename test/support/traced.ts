/** Runs a program under strace: counts its system calls on some files, and kills it at one of them or makes that one fail. */
import { readFileSync } from 'node:fs';
import { type Ended, runProgram, type Server, startListening } from './run.js';

/** What happens at the `when`-th call (from 1) of a name: the process is killed on its way in, or the call fails. */
export interface Injection {
  readonly call: string;
  readonly what: 'signal=KILL' | 'error=EIO' | 'error=ENOSPC';
  readonly when: number;
}

/** A program to trace: only its calls on `paths` count. `strace` is where that program is, `log` where it may write. */
export interface Traced {
  readonly strace: string;
  readonly log: string;
  readonly paths: readonly string[];
  readonly calls: readonly string[];
  readonly command: readonly string[];
}

/** The words after `strace`. */
function straceWords({ log, paths, calls, command }: Traced, injection?: Injection): readonly string[] {
  const inject = injection === undefined ? [] : ['-e', `inject=${injection.call}:${injection.what}:when=${injection.when}`];
  const files = paths.flatMap((file) => ['-P', file]);
  return ['-f', '-qq', '-o', log, ...files, '-e', `trace=${calls.join(',')}`, ...inject, process.execPath, ...command];
}

/** Runs it to its end. */
export function runTraced(traced: Traced, injection?: Injection): Promise<Ended> {
  return runProgram(traced.strace, straceWords(traced, injection));
}

/** Starts a server under strace. It is our own child, with the tracer beside it: signals reach it, and its end is its own. */
export function startTraced(traced: Traced, injection?: Injection): Promise<Server> {
  return startListening(traced.strace, ['-D', ...straceWords(traced, injection)]);
}

/** How often each call was made in the run that wrote the log. */
export function countCalls(log: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, call = ''] of readFileSync(log, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)) counts.set(call, (counts.get(call) ?? 0) + 1);
  return counts;
}

/** `SEALANE_FAULT_POINTS=all` tries every call, which takes minutes; else some of each name, the first and the last among them. */
export function pointsOf(counts: ReadonlyMap<string, number>, some: number): readonly (readonly [call: string, when: number])[] {
  return [...counts].flatMap(([call, total]) => {
    const want = process.env['SEALANE_FAULT_POINTS'] === 'all' ? total : Math.min(total, some);
    const picked = Array.from({ length: want }, (_, at) => (want === 1 ? total : 1 + Math.round((at * (total - 1)) / (want - 1))));
    return picked.map((when) => [call, when] as const);
  });
}
