/**
 * Driver `command`: an installer that is there already (RAUC, a firmware tool, a script) lays down, switches and answers; commands of local configuration
 * call it. The contract of these commands is in docs/drivers.md.
 */
import { closeSync } from 'node:fs';
import { SiteError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import { openCredentials } from './credentials.js';
import type { Driver, DriverWorld, SlotOnDisk, WorkloadStatus } from './driver.js';
import type { CommandEnd } from './run-to-end.js';
import { slotRecordFile } from './slot-record.js';
import { workloadEnv } from './workload-env.js';
import { openWorkloadLog } from './workload-log.js';

/** What local configuration says: the commands, and how long they may take. */
export interface CommandDriverConfig {
  readonly prepare: readonly string[] | undefined;
  readonly start: readonly string[];
  readonly stop: readonly string[] | undefined;
  readonly status: readonly string[] | undefined;
  readonly confirm: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly prepareSeconds: number;
  readonly commandSeconds: number;
}

/** Which command it is, for one that serves several ends: `SEALANE_HOOK`. */
type Hook = 'prepare' | 'start' | 'stop' | 'status' | 'confirm';

/** sysexits(3) EX_TEMPFAIL: not now, ask again. */
const NOT_NOW = 75;

/** Makes the driver. It reads and writes `run/command.json` and `logs/` in the state folder. */
export function commandDriver(config: CommandDriverConfig, world: DriverWorld): Driver {
  const record = slotRecordFile(world, 'command');
  return {
    images: 'unpacked',
    prepare: async (slot) => {
      if (config.prepare === undefined) return;
      const end = await runHook(config, world, slot, 'prepare', config.prepare);
      if (end.code === 0) return;
      const message = `prepare ${slot.name} ${slot.version} with ${config.prepare.join(' ')}: expected exit 0, ${howOf(end)}`;
      throw new SiteError(end.code === undefined || end.code === NOT_NOW ? 'DRIVER_NOT_READY' : 'DRIVER_REFUSED', message);
    },
    start: async (slot) => {
      record.write(slot);
      crashPoint('update:workload-recorded');
      await mustRun(config, world, slot, 'start', config.start);
    },
    confirm: async (slot) => {
      if (config.confirm !== undefined) await mustRun(config, world, slot, 'confirm', config.confirm);
    },
    stop: async () => {
      const known = record.read();
      if (known === undefined) return;
      if (config.stop !== undefined) await mustRun(config, world, known.slot, 'stop', config.stop);
      record.remove();
    },
    status: async (): Promise<WorkloadStatus> => {
      const known = record.read();
      if (known === undefined) return { is: 'none' };
      const { release } = known.slot;
      if (config.status !== undefined) {
        const end = await runHook(config, world, known.slot, 'status', config.status);
        return end.code === 0 ? { is: 'handed-over', release } : { is: 'ended', release, how: `status: ${howOf(end)}` };
      }
      if (known.bootId !== world.clock.bootId()) return { is: 'ended', release, how: 'the host was restarted' };
      return { is: 'handed-over', release };
    },
  };
}

/** @throws SiteError `HEALTH_FAILED` it does not end with 0 in its time */
async function mustRun(
  config: CommandDriverConfig,
  world: DriverWorld,
  slot: SlotOnDisk,
  hook: Hook,
  command: readonly string[],
): Promise<void> {
  const end = await runHook(config, world, slot, hook, command);
  if (end.code === 0) return;
  throw new SiteError('HEALTH_FAILED', `${hook} ${slot.name} ${slot.version} with ${command.join(' ')}: expected exit 0, ${howOf(end)}`);
}

async function runHook(
  config: CommandDriverConfig,
  world: DriverWorld,
  slot: SlotOnDisk,
  hook: Hook,
  command: readonly string[],
): Promise<CommandEnd> {
  // a look leaves no line in the log
  const log = hook === 'status' ? undefined : openWorkloadLog(world, slot);
  try {
    return await world.run(command, {
      // a slot may be gone when what runs in it is stopped
      cwd: hook === 'stop' || hook === 'status' ? world.stateFolder : slot.folder,
      env: { ...workloadEnv(config, world, slot), SEALANE_HOOK: hook },
      timeoutMs: (hook === 'prepare' ? config.prepareSeconds : config.commandSeconds) * 1000,
      // a switch is never left half done because somebody wants to leave: only what can be begun again listens
      signal: hook === 'prepare' || hook === 'status' ? world.signal : new AbortController().signal,
      ...(log === undefined ? {} : { output: log, as: hook }),
      // before a release is started the values of the one that runs lie there
      credentials: hook === 'prepare' ? undefined : openCredentials(world, slot.credentials),
    });
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

function howOf(end: CommandEnd): string {
  return end.code === undefined ? end.why : `got ${end.code}`;
}
