/** A site as its commands hold it: configuration, folder, key, driver, and the outside world, all passed in. */
import type { JsonObject, SealingKey, Signer } from '@sealane/core';
import type { Fetcher } from './apply/fetch-shell.js';
import type { Clock } from './clock.js';
import type { SiteConfig } from './config.js';
import type { Disk } from './disk.js';
import type { Driver } from './drivers/driver.js';
import type { OneWayHooks } from './drivers/one-way-hooks.js';
import type { ProcessTable } from './drivers/process-table.js';
import type { Prober } from './health/prober.js';
import type { StateFolder } from './state-folder.js';

/** Everything with an effect, for one run of one command. */
export interface SiteWorld {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the command is interrupted. */
  readonly signal: AbortSignal;
  /** Random bytes for the salts of receipts. */
  readonly salt: () => Uint8Array;
  readonly startFetcher: (signal: AbortSignal) => Fetcher;
  /** One that gives way to nobody: who waits for the end of a probation waits for no download. */
  readonly startListener: (signal: AbortSignal) => Fetcher;
  /** This host's hardware as CycloneDX, as receipts tell it. */
  readonly collectHardware: () => Promise<JsonObject>;
  /** What of it a release is judged by. */
  readonly judgedHardware: () => Promise<JsonObject>;
  /** Whether this host is being shut down: what ends then did not fail. */
  readonly isGoingDown: () => Promise<boolean>;
  /** A line for people. */
  readonly talk: (line: string) => void;
}

/** An enrolled site. */
export interface Site {
  readonly world: SiteWorld;
  readonly folder: StateFolder;
  readonly config: SiteConfig;
  readonly signer: Signer;
  /** What opens secrets of this site. @throws SiteError `NOT_ENROLLED`, `KEY_EXPOSED`; CoreError `KEY_MALFORMED` */
  readonly sealingKey: () => Promise<SealingKey>;
  readonly driver: Driver;
  /** Parts without a way back, where site.yaml says how they are brought in. */
  readonly oneWay?: OneWayHooks;
  readonly prober: Prober;
}
