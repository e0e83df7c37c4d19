/** What every driver can do: run one release at a time. Which files it runs is decided by the slot, how by local configuration. */
import type { Digest } from '@sealane/core';

/** A release that lies unpacked in its slot. */
export interface SlotOnDisk {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  /** Absolute path of the slot. */
  readonly folder: string;
  /** Absolute path of the values of its variables, where it declares any. */
  readonly variables?: string;
}

/** How the workload is doing, as far as the host can tell without asking it. */
export type WorkloadStatus =
  | { readonly is: 'running'; readonly release: Digest; readonly pid: number }
  /** Its starter came to an end with 0 and left the rest to somebody else; only health can tell. Needs a configured `stop`. */
  | { readonly is: 'handed-over'; readonly release: Digest }
  | { readonly is: 'ended'; readonly release: Digest; readonly how: string }
  | { readonly is: 'none' };

/** A driver. It keeps what it must know across processes and reboots in the state folder. */
export interface Driver {
  /**
   * Starts the release; nothing may be running. Durable before the workload's first instruction: no crash leaves one that nobody knows.
   *
   * @throws SiteError `HEALTH_FAILED` it cannot be started
   */
  start(slot: SlotOnDisk): Promise<void>;
  /** Stops whatever this driver started, and forgets it. Fine when nothing runs. */
  stop(): Promise<void>;
  /** Looks now. A process of ours that just ended is waited for (milliseconds), so that how it ended is known. */
  status(): Promise<WorkloadStatus>;
}
