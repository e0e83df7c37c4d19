/**
 * Driver `files`: a release is a folder, its workload a process group of its own that outlives the updater.
 *
 * The process is known before it does anything: a gate (a shell that waits on a pipe) is started, its id and start time are written
 * durably, then the gate is told to become the workload. Killed before that, the pipe closes and the gate ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { type Digest, isDigest, SiteError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';
import { credentialsEnv } from './credentials.js';
import type { Driver, DriverWorld, SlotOnDisk, WorkloadStatus } from './driver.js';
import { workloadEnv } from './workload-env.js';
import { openWorkloadLog } from './workload-log.js';

/** What local configuration says about starting and stopping. */
export interface FilesDriverConfig {
  readonly start: readonly string[];
  readonly stop: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly stopGraceSeconds: number;
}

interface WorkloadRecord {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly release: Digest;
  readonly handedOver: boolean;
}

/** Waits for one line on descriptor 3, then becomes the command. Without the line (the updater died) it ends and nothing ran. */
const GATE = 'read -r word <&3 || exit 125; [ "$word" = go ] || exit 125; exec 3<&-; exec "$@"';

/** After SIGKILL only the kernel is left to wait for. */
const KILL_WAIT_MS = 10_000;

const POLL_MS = 20;

/** Node collects an exit code in the next turn of its loop. */
const REAP_WAIT_MS = 1000;

/** Makes the driver. It reads and writes `run/workload.json` and `logs/` in the state folder. */
export function filesDriver(config: FilesDriverConfig, world: DriverWorld): Driver {
  const file = path.join(world.stateFolder, 'run', 'workload.json');
  let child: ChildProcess | undefined;
  return {
    images: 'unpacked',
    start: async (slot) => {
      child = await startGated(config, world, slot, file);
    },
    stop: () => stopRecorded(config, world, file),
    status: () => statusOf(config, world, file, child),
  };
}

async function startGated(config: FilesDriverConfig, world: DriverWorld, slot: SlotOnDisk, file: string): Promise<ChildProcess> {
  const log = openWorkloadLog(world, slot);
  try {
    const child = spawn('/bin/sh', ['-c', GATE, 'sealane-workload', ...config.start], {
      cwd: slot.folder,
      env: { ...workloadEnv(config, world, slot), ...credentialsEnv(slot.credentials) },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    await spawned(child, config.start);
    try {
      recordWorkload(world, file, child.pid, slot.release);
    } catch (error) {
      // nobody would know it, and it would keep us waiting
      closeGate(child);
      throw error;
    }
    crashPoint('update:workload-recorded');
    await openGate(child);
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function spawned(child: ChildProcess, command: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new SiteError('HEALTH_FAILED', `start ${command.join(' ')}: expected a process, got ${cause.message}`, {}, { cause }));
    });
  });
}

function recordWorkload({ disk, clock, processes }: DriverWorld, file: string, pid: number | undefined, release: Digest): void {
  const startTime = pid === undefined ? undefined : processes.startTime(pid);
  if (pid === undefined || startTime === undefined)
    throw new SiteError('HEALTH_FAILED', 'start the workload: expected a process, it ended at once');
  disk.makeFolder(path.dirname(file), 0o750);
  durableWrite(disk, file, sealed({ pid, startTime, bootId: clock.bootId(), release, handedOver: false }));
}

function openGate(child: ChildProcess): Promise<void> {
  const gate = child.stdio[3];
  return new Promise((resolve) => {
    if (gate === null || gate === undefined || !('end' in gate)) {
      resolve();
      return;
    }
    // a gate that died already takes no word: its end shows as the workload's
    gate.on('error', () => resolve());
    gate.end('go\n', () => {
      if (gate instanceof Socket) gate.unref();
      resolve();
    });
  });
}

/** Without its word the gate ends, and nothing ran. */
function closeGate(child: ChildProcess): void {
  const gate = child.stdio[3];
  if (gate instanceof Socket) gate.destroy();
}

async function stopRecorded(config: FilesDriverConfig, world: DriverWorld, file: string): Promise<void> {
  const record = readRecord(world, file);
  if (record === undefined) return;
  if (record.bootId === world.clock.bootId()) await stopGroup(config, world, record);
  world.disk.remove(file);
  world.disk.syncFolder(path.dirname(file));
}

async function stopGroup(config: FilesDriverConfig, world: DriverWorld, record: WorkloadRecord): Promise<void> {
  const { processes } = world;
  // another process has the id now: the group of the workload, named after it, is gone
  const startTime = processes.startTime(record.pid);
  const isReused = startTime !== undefined && startTime !== record.startTime;
  if (config.stop !== undefined) await runStop(config.stop, config, world, record);
  if (isReused) return;
  if (config.stop === undefined) processes.signalGroup(record.pid, 'SIGTERM');
  if (await groupEnds(world, record.pid, config.stopGraceSeconds * 1000)) return;
  processes.signalGroup(record.pid, 'SIGKILL');
  if (await groupEnds(world, record.pid, KILL_WAIT_MS)) return;
  throw new SiteError('INTERNAL', `stop the workload: expected process group ${record.pid} to end after SIGKILL, it runs on`);
}

/** Of a workload that was handed over only its `stop` knows whether it ended: where that fails it is not forgotten. Any other is ended without it. */
async function runStop(stop: readonly string[], config: FilesDriverConfig, world: DriverWorld, record: WorkloadRecord): Promise<void> {
  const end = await world.run(stop, {
    cwd: world.stateFolder,
    env: stopEnv(config, world, record),
    timeoutMs: config.stopGraceSeconds * 1000,
    signal: world.signal,
  });
  if (end.code === 0) return;
  const message = `stop the workload with ${stop.join(' ')}: expected exit 0, ${end.code === undefined ? end.why : `got ${end.code}`}`;
  if (record.handedOver) throw new SiteError('HEALTH_FAILED', message);
  world.talk(message);
}

function stopEnv(config: FilesDriverConfig, world: DriverWorld, record: WorkloadRecord): NodeJS.ProcessEnv {
  return { ...world.hostEnv, ...config.env, SEALANE_RELEASE: record.release, SEALANE_STATE: world.stateFolder };
}

async function groupEnds({ clock, processes }: DriverWorld, groupId: number, waitMs: number): Promise<boolean> {
  // stopping is never left half done: it does not listen to the command's signal
  const never = new AbortController().signal;
  for (let waitedMs = 0; waitedMs <= waitMs; waitedMs += POLL_MS) {
    if (processes.groupMembers(groupId).length === 0) return true;
    await clock.sleep(POLL_MS, never);
  }
  return false;
}

async function statusOf(
  config: FilesDriverConfig,
  world: DriverWorld,
  file: string,
  child: ChildProcess | undefined,
): Promise<WorkloadStatus> {
  const record = readRecord(world, file);
  if (record === undefined) return { is: 'none' };
  const { release, pid } = record;
  if (record.bootId !== world.clock.bootId()) return { is: 'ended', release, how: 'the host was restarted' };
  if (world.processes.startTime(pid) === record.startTime) return { is: 'running', release, pid };
  if (record.handedOver) return { is: 'handed-over', release };
  const ours = child?.pid === pid ? child : undefined;
  if (ours !== undefined) await reaped(ours);
  if (ours?.exitCode === 0 && config.stop !== undefined) {
    durableWrite(world.disk, file, sealed({ ...record, handedOver: true }));
    return { is: 'handed-over', release };
  }
  return { is: 'ended', release, how: describeEnd(ours) };
}

/**
 * The kernel shows a child as ended before Node has collected its exit code: without waiting, a start command that handed over would be taken for
 * one that died. A process whose first thread ended before the others stays so: it is not waited for any longer.
 */
async function reaped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const limit = AbortSignal.timeout(REAP_WAIT_MS);
  // the timeout alone keeps no event loop alive, and neither does a child that was let go
  child.ref();
  try {
    await once(child, 'exit', { signal: limit });
  } catch (error) {
    if (!limit.aborted) throw error;
  } finally {
    child.unref();
  }
}

function describeEnd(child: ChildProcess | undefined): string {
  if (child?.signalCode != null) return `it was ended by ${child.signalCode}`;
  return child?.exitCode == null ? 'it is gone' : `it exited with ${child.exitCode}`;
}

function readRecord({ disk }: DriverWorld, file: string): WorkloadRecord | undefined {
  const value = readSealed(disk, file);
  if (value === undefined) return undefined;
  const { pid, startTime, bootId, release, handedOver } = value;
  if (
    typeof pid === 'number' &&
    typeof startTime === 'string' &&
    typeof bootId === 'string' &&
    isDigest(release) &&
    typeof handedOver === 'boolean'
  ) {
    return { pid, startTime, bootId, release, handedOver };
  }
  throw new SiteError('STATE_CORRUPT', `read ${file}: expected pid, startTime, bootId, release, handedOver`, { path: file });
}
