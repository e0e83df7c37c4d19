/** Opens a site for a command: where it lies, the real world around it, the lock, and failures of the disk in words. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import {
  type Check,
  diskRefusal,
  type Digest,
  type ErrorCode,
  ERRORS,
  isPlainText,
  MAX_PLAIN_TEXT,
  type Signer,
  SiteError,
} from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { openLayout } from '@sealane/oci';
import { type Fetcher, startFetchProcess } from './apply/fetch-shell.js';
import { takeLock } from './apply/lock.js';
import { expectOwnName } from './apply/own-name.js';
import { type Machine, openMachine, readState } from './apply/machine.js';
import type { SiteResult } from './apply/outcome.js';
import { retirementOf } from './apply/retirement.js';
import { systemClock } from './clock.js';
import { readConfig, type SiteConfig } from './config.js';
import { crashPoint } from './crash-point.js';
import { isNodeError, nodeDisk } from './disk.js';
import { driverOf } from './drivers/driver-of.js';
import { oneWayHooks, type OneWayWorld } from './drivers/one-way-hooks.js';
import { systemProcesses } from './drivers/process-table.js';
import { runToEnd } from './drivers/run-to-end.js';
import { plainProperties } from './drivers/unit-properties.js';
import { hostIsGoingDown, systemdUnits } from './drivers/systemd-shell.js';
import { unitDriver } from './drivers/unit.js';
import { unitEnvironments } from './drivers/unit-environment.js';
import { unitRunner } from './drivers/unit-run-shell.js';
import { hardwareOf, type InventoryPlace, judgedHardware } from './hardware-shell.js';
import { directProber, unitProber } from './health/prober-shell.js';
import { serveRelease, serveReleaseFromUnit } from './mirror/serve-release-shell.js';
import type { RunningMirror } from './mirror/serve-shell.js';
import { askFetchService, type FetchPatience } from './service/fetch-client-shell.js';
import type { Site, SiteWorld } from './site.js';
import { openSealingKey } from './sealing-key.js';
import { openSiteKey } from './site-key.js';
import { stateFolder, type StateFolder } from './state-folder.js';

/** Where a site's configuration and state are. */
export interface SitePlace {
  readonly configFile: string;
  readonly folder: StateFolder;
}

/** What the global options say; by default `site.yaml` here, `state` beside it, and in that what `fetch` writes. */
export function placeOf({ options, io }: CommandCall): SitePlace {
  const configFile = path.resolve(io.cwd, textOption(options['config']) ?? 'site.yaml');
  const [state, mirror] = [textOption(options['state']), textOption(options['mirror'])];
  const root = state === undefined ? path.join(path.dirname(configFile), 'state') : path.resolve(io.cwd, state);
  // systemd.exec(5): several are separated by colons
  const [runtime = ''] = (io.env['RUNTIME_DIRECTORY'] ?? '').split(':');
  const folder = stateFolder(root, mirror === undefined ? root : path.resolve(io.cwd, mirror), runtime === '' ? undefined : runtime);
  return { configFile, folder };
}

/** An option that takes one text. */
export function textOption(value: CommandCall['options'][string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Why, or what else people shall read. @throws SiteError `USAGE` empty, too long, or a control character */
export function peoplesText({ options }: CommandCall, name: string): string {
  const value = textOption(options[name]) ?? '';
  if (value !== '' && isPlainText(value)) return value;
  throw new SiteError('USAGE', `read --${name}: expected 1 to ${MAX_PLAIN_TEXT} characters, no control character among them`);
}

/** The real world of one command; `inventory` = where the hardware of this site is looked for. */
export function worldOf({ io, options }: CommandCall, { folder }: SitePlace, inventory: InventoryPlace): SiteWorld {
  const fetchSocket = textOption(options['fetch']);
  const talk = (line: string): void => io.talk(`${line}\n`);
  const fetcher = (patience: FetchPatience): Fetcher =>
    fetchSocket === undefined
      ? startFetchProcess(nodeDisk, patience.signal)
      : askFetchService(nodeDisk, path.resolve(io.cwd, fetchSocket), patience);
  return {
    disk: nodeDisk,
    clock: systemClock,
    processes: systemProcesses,
    pid: process.pid,
    env: io.env,
    signal: io.signal,
    salt: () => randomBytes(16),
    startFetcher: (signal) => fetcher({ signal, hurry: io.hurry }),
    startListener: (signal) => fetcher({ signal, hurry: undefined }),
    collectHardware: () => Promise.resolve(hardwareOf(nodeDisk, folder.inventory, inventory, talk)),
    judgedHardware: () => Promise.resolve(judgedHardware(nodeDisk, folder.inventory, inventory, talk)),
    isGoingDown: hostIsGoingDown,
    talk,
  };
}

/**
 * Opens the site without its lock, for commands that only look.
 *
 * @throws SiteError `CONFIG_INVALID`, `NOT_ENROLLED`
 */
export function openSite(call: CommandCall): Site {
  const place = placeOf(call);
  const { configFile, folder } = place;
  const config = readConfig(nodeDisk, configFile);
  const world = worldOf(call, place, config.inventory);
  return {
    world,
    folder,
    config,
    signer: ownSigner(world, folder),
    sealingKey: () => openSealingKey(world.disk, keyFile(world, folder.sealingKey)),
    ...workloadParts(world, folder, config),
  };
}

/** The key of this site; one that was retired has none left, and says nothing more under it. */
function ownSigner(world: SiteWorld, folder: StateFolder): Signer {
  const file = keyFile(world, folder.key);
  const retirement = world.disk.kind(file) === 'nothing' ? retirementOf(readState(world.disk, folder.journal)) : undefined;
  if (retirement === undefined) return openSiteKey(world.disk, file);
  const { keyId } = retirement;
  const sign = (): Promise<Uint8Array> =>
    Promise.reject(new SiteError('SITE_RETIRED', `sign as this site: expected its key, which was wiped when it was retired`));
  return { keyId, spki: new Uint8Array(), sign };
}

/** Where a key lies: with systemd's credentials if it is one of them, else in the state folder. */
export function keyFile({ disk, env }: Pick<SiteWorld, 'disk' | 'env'>, file: string): string {
  const { CREDENTIALS_DIRECTORY: credentials } = env;
  const sealed = credentials === undefined ? undefined : path.join(credentials, path.basename(file));
  return sealed !== undefined && disk.kind(sealed) === 'file' ? sealed : file;
}

/** Workload, commands and probes as processes of this one, or as units of systemd outside its sandbox. */
function workloadParts(
  world: SiteWorld,
  folder: StateFolder,
  { driver, name: site }: SiteConfig,
): Pick<Site, 'driver' | 'oneWay' | 'prober'> {
  const { disk, clock, processes, signal, env, talk } = world;
  const around = { disk, clock, processes, signal, stateFolder: folder.root, talk };
  const environments = unitEnvironments(folder.environments, world);
  const units = systemdUnits(environments);
  if (driver.unit === undefined) {
    const serveImages = async (release: Digest): Promise<RunningMirror> =>
      await serveRelease(await openLayout(folder.store), release, talk);
    const outside = { ...around, hostEnv: env, run: runToEnd, serveImages };
    return { driver: driverOf(site, driver, outside, units), ...oneWayOf(driver, outside), prober: directProber(signal) };
  }
  const { properties } = driver.unit;
  const plain = plainProperties(properties);
  const run = unitRunner(site, plain, units, environments);
  const serveImages = (release: Digest): Promise<RunningMirror> => serveReleaseFromUnit(units, folder.store, release);
  const outside = { ...around, hostEnv: {}, run, serveImages };
  const made =
    driver.use === 'files'
      ? unitDriver({ ...driver, stop: driver.stop, site, properties }, { ...outside, units })
      : driverOf(site, driver, outside, units);
  return { driver: made, ...oneWayOf(driver, outside), prober: unitProber(units, plain, signal) };
}

function oneWayOf({ oneWay, env }: SiteConfig['driver'], world: OneWayWorld): Pick<Site, 'oneWay'> {
  return oneWay === undefined ? {} : { oneWay: oneWayHooks(oneWay, env, world) };
}

/**
 * Runs a command that changes the site: under the lock, with the journal open.
 *
 * @throws SiteError `UPDATER_BUSY`, `STATE_CORRUPT`, `DISK_SHORT`, `STATE_UNWRITABLE`, `CONFIG_INVALID` as `expectOwnName`, and what `use` throws
 */
export async function withLockedSite<T>(call: CommandCall, use: (site: Site, machine: Machine) => Promise<T>): Promise<T> {
  const site = openSite(call);
  return await inWords(site.folder, () => {
    expectOwnName(site, placeOf(call).configFile);
    return withLock(site, () => use(site, openMachine(site.world.disk, site.folder.journal)));
  });
}

/** As `withLockedSite`, for commands that answer with an outcome: damaged state is the outcome `held`. */
export async function withLockedResult(call: CommandCall, use: (site: Site, machine: Machine) => Promise<SiteResult>): Promise<SiteResult> {
  try {
    return await withLockedSite(call, use);
  } catch (error) {
    if (!(error instanceof SiteError) || error.code !== 'STATE_CORRUPT') throw error;
    const check: Check = {
      id: 'state',
      verdict: 'error',
      expected: 'state as it was written',
      actual: error.message,
      remedy: ERRORS.STATE_CORRUPT.hint,
      evidence: [],
      code: error.code,
    };
    return { site: openSite(call).config.name, outcome: 'held', release: null, previous: null, reason: error.code, checks: [check] };
  }
}

async function withLock<T>(site: Site, use: () => Promise<T>): Promise<T> {
  const release = takeLock(site.world, site.folder.lock);
  crashPoint('update:locked');
  try {
    return await use();
  } finally {
    await site.prober.close();
    release();
  }
}

const DISK_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_SHORT',
  EDQUOT: 'DISK_SHORT',
  EROFS: 'STATE_UNWRITABLE',
  EACCES: 'STATE_UNWRITABLE',
  EPERM: 'STATE_UNWRITABLE',
};

/** Says failures of the disk with a code, the path and the next step; all else passes. */
export async function inWords<T>(folder: StateFolder, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isNodeError(error, ...Object.keys(DISK_CODES))) throw error;
    const code = DISK_CODES[error.code ?? ''] ?? 'INTERNAL';
    throw new SiteError(
      code,
      diskRefusal(error)?.message ?? `write ${error.path ?? folder.root}: ${error.message}`,
      { path: error.path ?? folder.root },
      { cause: error },
    );
  }
}
