/**
 * Driver `files` where the updater is sandboxed: the workload is a unit of systemd of its own, with none of the updater's limits and none of its rights.
 *
 * The unit has one name at a site, so no crash leaves a workload that nobody knows. Which release it runs is written down before it is started.
 */
import path from 'node:path';
import { type Digest, isDigest, sha256, SiteError, utf8 } from '@sealane/core';
import type { Clock } from '../clock.js';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { crashPoint } from '../crash-point.js';
import { readSealed, sealed } from '../sealed-file.js';
import { loadCredentials, variablesOfUnit } from './credentials.js';
import type { Driver, SlotOnDisk, WorkloadStatus } from './driver.js';
import type { FilesDriverConfig } from './files.js';
import type { RunCommand } from './run-to-end.js';
import type { UnitFacts, Units } from './systemd-shell.js';
import { renderedProperties } from './unit-properties.js';
import { workloadEnv } from './workload-env.js';
import { prepareWorkloadLog } from './workload-log.js';

/** What local configuration says. `properties` are those of the unit, as systemd-run takes them. */
export interface UnitDriverConfig extends FilesDriverConfig {
  readonly site: string;
  readonly properties: readonly string[];
  readonly strays: 'report' | 'stop';
}

/** The outside of the driver. */
export interface UnitDriverWorld {
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'bootId'>;
  readonly units: Units;
  readonly run: RunCommand;
  readonly stateFolder: string;
  /** A line for people. */
  readonly talk: (line: string) => void;
}

/** Makes the driver. It reads and writes `run/unit.json` and `logs/` in the state folder. */
export function unitDriver(config: UnitDriverConfig, world: UnitDriverWorld): Driver {
  const name = `sealane-workload-${config.site}.service`;
  const file = path.join(world.stateFolder, 'run', 'unit.json');
  const start = async (slot: SlotOnDisk): Promise<void> => {
    record(world, file, slot.release);
    crashPoint('update:workload-recorded');
    await world.units.start(name, startOf(config, world, name, slot));
    // one that has ended already is gone, and has nothing to be changed
    const { LoadState } = await world.units.show(name);
    if (LoadState === 'loaded') record(world, file, slot.release, await definitionOf(world, name));
  };
  return {
    images: 'unpacked',
    prepare: (slot) => {
      // what cannot be rendered is refused before anything is touched
      renderedProperties(config.properties, unitEnv(config, world, slot));
      return Promise.resolve();
    },
    start,
    stop: async () => {
      const known = readRecord(world.disk, file);
      if (known?.bootId === world.clock.bootId()) await runStop(config, world, known.release);
      await world.units.stop(name);
      world.disk.remove(file);
    },
    status: async () => {
      const known = readRecord(world.disk, file);
      if (known === undefined) return { is: 'none' };
      if (known.bootId !== world.clock.bootId()) return { is: 'ended', release: known.release, how: 'the host was restarted' };
      return statusFrom(await world.units.show(name), known.release);
    },
    strays: async (slots) => {
      const known = readRecord(world.disk, file);
      if (known?.definition === undefined || known.bootId !== world.clock.bootId()) return [];
      const { LoadState } = await world.units.show(name);
      if (LoadState !== 'loaded' || (await definitionOf(world, name)) === known.definition) return [];
      const slot = slots.find(({ release }) => release === known.release);
      if (config.strays === 'report' || slot === undefined) return [{ what: `unit ${name}`, how: 'was changed', did: 'reported' }];
      await world.units.revert(name);
      await world.units.stop(name);
      await start(slot);
      return [{ what: `unit ${name}`, how: 'was changed', did: 'put back' }];
    },
  };
}

function startOf(config: UnitDriverConfig, world: UnitDriverWorld, name: string, slot: SlotOnDisk): Parameters<Units['start']>[1] {
  const given = unitEnv(config, world, slot);
  const variables = variablesOfUnit(name, given);
  const log = prepareWorkloadLog(world, slot);
  const properties = [
    `Description=Sealane workload of ${config.site}`,
    `TimeoutStopSec=${config.stopGraceSeconds}`,
    `StandardOutput=append:${log}`,
    `StandardError=append:${log}`,
    ...loadCredentials(slot.credentials),
    ...variables.properties,
    // a starter that hands over ends, and what it left behind is the workload
    ...(config.stop === undefined ? [] : ['RemainAfterExit=yes']),
    ...renderedProperties(config.properties, given),
  ];
  return { properties, cwd: slot.folder, env: variables.env, argv: config.start };
}

/** Nothing of the updater's own environment: systemd gives a unit what it needs, where its credentials are too. */
function unitEnv(config: UnitDriverConfig, { disk, stateFolder }: UnitDriverWorld, slot: SlotOnDisk): Record<string, string> {
  const env = workloadEnv(config, { disk, hostEnv: {}, stateFolder }, slot);
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function runStop(
  { stop, stopGraceSeconds, env }: UnitDriverConfig,
  { run, stateFolder, talk }: UnitDriverWorld,
  release: Digest,
): Promise<void> {
  if (stop === undefined) return;
  const end = await run(stop, {
    cwd: stateFolder,
    env: { ...env, SEALANE_RELEASE: release, SEALANE_STATE: stateFolder },
    timeoutMs: Math.max(1, stopGraceSeconds) * 1000,
    // stopping is never left half done
    signal: new AbortController().signal,
    as: 'stop',
  });
  // whatever it left is ended with the unit
  if (end.code !== 0)
    talk(`stop the workload with ${stop.join(' ')}: expected exit 0, ${end.code === undefined ? end.why : `got ${end.code}`}`);
}

/** How a unit is doing. One that is not active is over, whatever it is called. */
export function statusFrom(
  { ActiveState, SubState, Result, MainPID, ExecMainStatus, LoadState }: UnitFacts,
  release: Digest,
): WorkloadStatus {
  if (ActiveState === 'active' && SubState === 'exited') return { is: 'handed-over', release };
  if (ActiveState === 'active') return { is: 'running', release, pid: Number(MainPID) };
  if (LoadState === 'not-found' || ActiveState === undefined) return { is: 'ended', release, how: 'it is gone' };
  return { is: 'ended', release, how: `its unit is ${ActiveState} (${Result ?? ''}, ${ExecMainStatus ?? ''})` };
}

interface UnitRecord {
  readonly release: Digest;
  readonly bootId: string;
  /** Digest of the unit's definition once it was started. */
  readonly definition?: string;
}

async function definitionOf({ units }: UnitDriverWorld, name: string): Promise<string> {
  return sha256(utf8(await units.definition(name)));
}

function record({ disk, clock }: UnitDriverWorld, file: string, release: Digest, definition?: string): void {
  disk.makeFolder(path.dirname(file), 0o750);
  durableWrite(disk, file, sealed({ release, bootId: clock.bootId(), ...(definition !== undefined && { definition }) }));
}

function readRecord(disk: Disk, file: string): UnitRecord | undefined {
  const value = readSealed(disk, file);
  if (value === undefined) return undefined;
  const { release, bootId, definition } = value;
  if (isDigest(release) && typeof bootId === 'string') return { release, bootId, ...(typeof definition === 'string' && { definition }) };
  throw new SiteError('STATE_CORRUPT', `read ${file}: expected release and bootId`, { path: file });
}
