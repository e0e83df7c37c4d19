/** How pods are doing, out of what the engine says of their containers. Pure. */
import type { Digest } from '@sealane/core';
import { fieldOf, jsonOf } from '../../tool-json.js';
import type { WorkloadStatus } from '../driver.js';

/** A container as `podman container inspect` describes it, as far as it is read here. */
export interface Container {
  readonly name: string;
  readonly status: string;
  readonly exitCode: number;
  readonly pid: number;
  readonly restarts: number;
  /** `no`, `on-failure`, `always` and the like. */
  readonly restartPolicy: string;
  readonly isInfra: boolean;
}

/** Reads the JSON of `container inspect`; undefined when it is not what was asked for. */
export function parseContainers(text: string): readonly Container[] | undefined {
  const value = jsonOf(text);
  if (!Array.isArray(value)) return undefined;
  const containers = value.map(parseContainer);
  return containers.every((container) => container !== undefined) ? containers : undefined;
}

function parseContainer(value: unknown): Container | undefined {
  const state = fieldOf(value, 'State');
  const [name, status, exitCode] = [fieldOf(value, 'Name'), fieldOf(state, 'Status'), fieldOf(state, 'ExitCode')];
  const [pid, restarts] = [fieldOf(state, 'Pid'), fieldOf(value, 'RestartCount')];
  const restartPolicy = fieldOf(fieldOf(fieldOf(value, 'HostConfig'), 'RestartPolicy'), 'Name');
  if (typeof name !== 'string' || typeof status !== 'string' || typeof exitCode !== 'number') return undefined;
  return {
    name,
    status,
    exitCode,
    pid: typeof pid === 'number' ? pid : 0,
    restarts: typeof restarts === 'number' ? restarts : 0,
    restartPolicy: typeof restartPolicy === 'string' ? restartPolicy : '',
    isInfra: fieldOf(value, 'IsInfra') === true,
  };
}

/**
 * The workload runs when each of its containers does, or has come to its end as it should (exit 0 of one that is not to be restarted), and at least one runs.
 * One that the engine restarts is between two lives. Anything that is not known is not running.
 */
export function podStatus(release: Digest, containers: readonly Container[]): WorkloadStatus {
  const workers = containers.filter(({ isInfra }) => !isInfra);
  const wrong = workers.filter((container) => !isFine(container));
  const [gone = wrong[0]] = wrong.filter(({ restartPolicy }) => restartPolicy !== 'always');
  if (gone !== undefined) return { is: gone.restartPolicy === 'always' ? 'restarting' : 'ended', release, how: describe(gone) };
  const [first] = workers.filter(({ status }) => status === 'running');
  if (first === undefined)
    return { is: 'ended', release, how: workers.length === 0 ? 'no container is there' : 'every container has ended' };
  return { is: 'running', release, pid: first.pid, restarts: Math.max(...workers.map(({ restarts }) => restarts)) };
}

function isFine({ status, exitCode, restartPolicy }: Container): boolean {
  return status === 'running' || (status === 'exited' && exitCode === 0 && restartPolicy !== 'always');
}

function describe({ name, status, exitCode }: Container): string {
  return status === 'exited' ? `container ${name} exited with ${exitCode}` : `container ${name} is ${status}`;
}
