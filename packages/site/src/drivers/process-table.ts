/** Who runs on this host: asked of the kernel, because the updater that started a workload may be long gone. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isNodeError } from '../disk.js';

/** What is asked about processes. A zombie counts as gone: it runs nothing, and in a container nobody may ever reap it. */
export interface ProcessTable {
  /** A text that differs for each process that ever had this id since boot; undefined when it is gone. */
  startTime(pid: number): string | undefined;
  /** Ids of the living processes of a group. */
  groupMembers(groupId: number): readonly number[];
  /** Sends a signal to a whole group; a group that is gone is fine. */
  signalGroup(groupId: number, signal: 'SIGTERM' | 'SIGKILL'): void;
}

interface ProcessFacts {
  readonly pid: number;
  readonly groupId: number;
  readonly startTime: string;
}

/** The host's processes: `/proc` where there is one, else `ps`. */
export const systemProcesses: ProcessTable = {
  startTime: (pid) => factsOf(pid)?.startTime,
  groupMembers: (groupId) =>
    allProcesses()
      .filter((facts) => facts.groupId === groupId)
      .map((facts) => facts.pid),
  signalGroup: (groupId, signal) => {
    try {
      process.kill(-groupId, signal);
    } catch (error) {
      // gone between the question and the signal is what was wanted
      if (!isNodeError(error, 'ESRCH')) throw error;
    }
  },
};

const hasProc = process.platform === 'linux';

function factsOf(pid: number): ProcessFacts | undefined {
  return hasProc ? procFacts(pid) : psFacts(['-p', String(pid)])[0];
}

function allProcesses(): readonly ProcessFacts[] {
  if (!hasProc) return psFacts(['-ax']);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((name) => procFacts(Number(name))).filter((facts) => facts !== undefined);
}

/** proc(5): after the last `)` come state, parent, group, session; the start time in ticks since boot is field 22. */
function procFacts(pid: number): ProcessFacts | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    // no such process, or it ended while it was read
    if (isNodeError(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , groupId] = fields;
  const startTime = fields[19];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, groupId: Number(groupId), startTime };
}

function psFacts(which: readonly string[]): readonly ProcessFacts[] {
  let text: string;
  try {
    text = execFileSync('ps', [...which, '-o', 'pid=,pgid=,stat=,lstart='], {
      encoding: 'utf8',
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // ps exits with 1 when none matches, and then there is none
    return [];
  }
  const rows = text.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line));
  return rows.flatMap((row) => {
    const [, pid, groupId, state, startTime] = row ?? [];
    return startTime === undefined || state?.startsWith('Z') === true ? [] : [{ pid: Number(pid), groupId: Number(groupId), startTime }];
  });
}
