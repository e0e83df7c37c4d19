/** What every driver can do: run one release at a time. Which files it runs is decided by the slot, how by local configuration. */
import type { Check, Digest } from '@sealane/core';
import type { Clock } from '../clock.js';
import type { Disk } from '../disk.js';
import type { RunningMirror } from '../mirror/serve-shell.js';
import type { Credentials } from './credentials.js';
import type { ProcessTable } from './process-table.js';
import type { RunCommand } from './run-to-end.js';

/** A release that lies unpacked in its slot. */
export interface SlotOnDisk {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  /** Absolute path of the slot. */
  readonly folder: string;
  /** Absolute path of the values of its variables, where it declares any. */
  readonly variables?: string;
  /** Values of its secrets, where it needs any. */
  readonly credentials?: Credentials;
  /** It is on its way in, and was committed here neither now nor before. */
  readonly isNew?: true;
}

/** How the workload is doing, as far as the host can tell without asking it. */
export type WorkloadStatus =
  /** `restarts`: how often its engine has started it again since, where it is an engine that does. */
  | { readonly is: 'running'; readonly release: Digest; readonly pid: number; readonly restarts?: number }
  /** Its starter came to an end with 0 and left the rest to somebody else; only health can tell. Needs a configured `stop`. */
  | { readonly is: 'handed-over'; readonly release: Digest }
  /** It has ended and its engine is about to start it again. */
  | { readonly is: 'restarting'; readonly release: Digest; readonly how: string }
  | { readonly is: 'ended'; readonly release: Digest; readonly how: string }
  | { readonly is: 'none' };

/** What runs beside the release, or was changed behind the driver's back, and what was done with it. */
export interface Stray {
  /** One name for people and for telling it from others: `container hand-made (4f1c…)`. */
  readonly what: string;
  readonly how: string;
  readonly did: 'reported' | 'stopped' | 'put back';
}

/** The outside of a driver. `hostEnv` is what the workload inherits. */
export interface DriverWorld {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly signal: AbortSignal;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly stateFolder: string;
  /** Runs commands of local configuration, where workloads stand: outside of the updater's sandbox if it has one. */
  readonly run: RunCommand;
  /** A registry on loopback, there too, that serves the images of one release out of the store. */
  readonly serveImages: (release: Digest) => Promise<RunningMirror>;
  /** A line for people. */
  readonly talk: (line: string) => void;
}

/** A driver. It keeps what it must know across processes and reboots in the state folder. */
export interface Driver {
  /** How images of a release are laid down: as files in the slot, or as they are in the store, for an engine to pull. */
  readonly images: 'unpacked' | 'pulled';
  /** Starting a release takes the place of what runs, which need not be stopped before. */
  readonly replaces?: true;
  /**
   * Makes ready what takes long, beside what runs, which is not touched; done again after a crash.
   *
   * @throws SiteError `DRIVER_REFUSED` it can never run here, `DRIVER_NOT_READY` not now
   */
  prepare?(slot: SlotOnDisk): Promise<void>;
  /**
   * Starts the release; nothing may be running but what it replaces. Durable before the workload's first instruction: no crash leaves one that nobody knows.
   *
   * @throws SiteError `HEALTH_FAILED` it cannot be started
   */
  start(slot: SlotOnDisk): Promise<void>;
  /** Stops whatever this driver started, and forgets it. Fine when nothing runs. */
  stop(): Promise<void>;
  /** Told after health has passed and before the release is committed; done again after a crash. @throws SiteError `HEALTH_FAILED` it cannot stay */
  confirm?(slot: SlotOnDisk): Promise<void>;
  /**
   * Tells the engine which releases may run here: from now on it takes no other image. Told before one of them is made ready, and whenever they have changed;
   * what somebody changed of it is put back and returned, and a release that runs here and is read no more is named.
   *
   * @throws SiteError `DRIVER_NOT_READY` the engine cannot be told
   */
  permit?(slots: readonly SlotOnDisk[]): Promise<readonly Stray[]>;
  /** Looks for what runs or was changed beside the release, and does with it what site.yaml says. `slots` are the releases that may run here. @throws SiteError `DRIVER_NOT_READY` */
  strays?(slots: readonly SlotOnDisk[]): Promise<readonly Stray[]>;
  /** What it keeps on this host outside of the state folder, looked at for people. Changes nothing. */
  examine?(): readonly Check[];
  /** Looks now. A process of ours that just ended is waited for (milliseconds), so that how it ended is known. */
  status(): Promise<WorkloadStatus>;
}
