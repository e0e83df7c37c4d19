/** Runs a program with every change that it makes to a folder numbered: recorded, failed, or its caller killed there. `fs-points.c` does it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { requireProgram } from '../support/require-program.js';
import { ROOT } from '../support/run.js';

/** What happens at a call: `kill` before it, `torn` in the middle of a write; `short` writes half; `full` fails from there on. */
export const FAULTS = ['kill', 'torn', 'EIO', 'ENOSPC', 'full', 'short'] as const;
export type Fault = (typeof FAULTS)[number];

/** Why calls cannot be numbered here, or undefined. */
export function whyNoPoints(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  return requireProgram('cc') === undefined ? 'needs a C compiler' : undefined;
}

/** Compiles what is preloaded into `dir`; returns its path. */
export function buildFsPoints(dir: string): string {
  const out = path.join(dir, 'fs-points.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', out, path.join(ROOT, 'test', 'reliability', 'fs-points.c'), '-ldl']);
  return out;
}

/** One run whose calls on `root` are numbered. */
export interface Numbered {
  readonly env: Readonly<Record<string, string>>;
  /** How many there were. */
  calls(): number;
  /** What the fault met: the call and its path in `root`; empty when it met none. */
  met(): string;
}

/** Offset of what the fault met in the shared file: after the number and the lock. */
const MET_AT = 12;

/** The environment of a run. `shared` is a file of its own; `log` takes what was done, with its bytes. */
export function numbered(
  library: string,
  { root, shared, log, fault }: { root: string; shared: string; log?: string; fault?: { readonly is: Fault; readonly at: number } },
): Numbered {
  writeFileSync(shared, new Uint8Array(4096));
  if (log !== undefined) writeFileSync(log, '');
  const env = {
    LD_PRELOAD: library,
    // else a write could go round libc
    UV_USE_IO_URING: '0',
    SEALANE_FS_ROOT: root,
    SEALANE_FS_CONTROL: shared,
    ...(log === undefined ? {} : { SEALANE_FS_LOG: log }),
    ...(fault === undefined ? {} : { SEALANE_FS_FAULT: fault.is, SEALANE_FS_AT: String(fault.at) }),
  };
  return {
    env,
    calls: () => Number(readFileSync(shared).readBigUInt64LE(0)),
    met: () => readFileSync(shared).subarray(MET_AT).toString('utf8').replace(/\0.*$/s, ''),
  };
}
