/**
 * Environments of units, each in a file that root alone reads: a property of a unit, and the file that systemd keeps of it, are shown to everybody on the host.
 *
 * systemd reads the file each time it starts the unit. That of a workload stays as long as the unit does. That of a command goes when it has ended; it is named
 * after the process that waits for that, so that one which a killed updater left is known, and swept.
 */
import path from 'node:path';
import { utf8 } from '@sealane/core';
import type { Disk } from '../disk.js';
import type { ProcessTable } from './process-table.js';

/** Names and values. */
export type UnitEnv = Readonly<Record<string, string>>;

/** The files of a site. What they return is the property of a unit that names one. */
export interface UnitEnvironments {
  /** For a unit that is there until it is stopped, and may be started again. */
  keep(unit: string, env: UnitEnv): string;
  /** Takes away what was kept; nothing there is fine. */
  drop(unit: string): void;
  /** For a unit whose end this process waits for: the file goes when `use` has ended. */
  during<T>(unit: string, env: UnitEnv, use: (property: string) => Promise<T>): Promise<T>;
  /** Takes away what processes left that are gone. */
  sweep(): void;
}

/** Of a process: which unit it started, and which process it is of all that ever had its id. */
const OF_PROCESS = /\.service\.(\d+)-(.+)\.env$/;

/** Makes them in a folder of their own. */
export function unitEnvironments(
  folder: string,
  { disk, processes, pid }: { readonly disk: Disk; readonly processes: Pick<ProcessTable, 'startTime'>; readonly pid: number },
): UnitEnvironments {
  const fileOf = (name: string): string => path.join(folder, `${name}.env`);
  const lay = (name: string, env: UnitEnv): string => {
    disk.makeFolder(path.dirname(folder), 0o750);
    disk.makeFolder(folder, 0o700);
    // one that is there could have another mode
    disk.remove(fileOf(name));
    disk.writeSynced(fileOf(name), environmentFile(env), 0o600);
    return `EnvironmentFile=${fileOf(name)}`;
  };
  return {
    keep: lay,
    drop: (unit) => disk.remove(fileOf(unit)),
    during: async (unit, env, use) => {
      const name = `${unit}.${pid}-${processes.startTime(pid) ?? ''}`;
      try {
        return await use(lay(name, env));
      } finally {
        disk.remove(fileOf(name));
      }
    },
    sweep: () => {
      for (const name of disk.list(folder)) {
        const [, maker, startTime] = OF_PROCESS.exec(name) ?? [];
        if (maker !== undefined && processes.startTime(Number(maker)) !== startTime) disk.remove(path.join(folder, name));
      }
    },
  };
}

/** As systemd.exec(5) reads it: in double quotes all is text, over several lines too, but what a shell would take for more. */
export function environmentFile(env: UnitEnv): Uint8Array {
  const lines = Object.entries(env).map(([name, value]) => `${name}="${value.replaceAll(/["\\`$]/g, '\\$&')}"\n`);
  return utf8(lines.join(''));
}
