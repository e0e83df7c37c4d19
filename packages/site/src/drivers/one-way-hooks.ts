/** The commands of site.yaml about parts without a way back: the one that saves what they may spoil, and the one that brings them in. */
import { closeSync } from 'node:fs';
import { SiteError } from '@sealane/core';
import type { DriverWorld, SlotOnDisk } from './driver.js';
import { workloadEnv } from './workload-env.js';
import { openWorkloadLog } from './workload-log.js';

/** What local configuration says. */
export interface OneWayConfig {
  readonly snapshot: readonly string[];
  readonly apply: readonly string[];
  /** Whether `apply` may be run again when it was interrupted, or a person is to look first. */
  readonly again: 'run' | 'hold';
  readonly seconds: number;
}

/** What a site can do about such parts. Both reject with SiteError `ONE_WAY_FAILED` when the command does not end with 0 in its time. */
export interface OneWayHooks {
  readonly again: OneWayConfig['again'];
  save(slot: SlotOnDisk, parts: readonly string[]): Promise<void>;
  apply(slot: SlotOnDisk, parts: readonly string[]): Promise<void>;
}

/** What the hooks need around them. */
export type OneWayWorld = Pick<DriverWorld, 'disk' | 'stateFolder' | 'hostEnv' | 'run'>;

/** Makes them. They run in the slot with what other hooks are given, and with the names of the parts in `SEALANE_ONE_WAY`. */
export function oneWayHooks(config: OneWayConfig, env: Readonly<Record<string, string>>, world: OneWayWorld): OneWayHooks {
  const run = async (hook: 'snapshot' | 'apply', slot: SlotOnDisk, parts: readonly string[]): Promise<void> => {
    const log = openWorkloadLog(world, slot);
    try {
      const end = await world.run(config[hook], {
        cwd: slot.folder,
        env: { ...workloadEnv({ env }, world, slot), SEALANE_HOOK: hook, SEALANE_ONE_WAY: parts.join(' ') },
        timeoutMs: config.seconds * 1000,
        // what has no way back is never left half done because somebody wants to leave
        signal: new AbortController().signal,
        output: log,
        as: hook,
        credentials: slot.credentials,
      });
      if (end.code === 0) return;
      const how = end.code === undefined ? end.why : `got ${end.code}`;
      throw new SiteError(
        'ONE_WAY_FAILED',
        `${hook} of ${parts.join(', ')} of ${slot.name} ${slot.version} with ${config[hook].join(' ')}: expected exit 0, ${how}`,
      );
    } finally {
      closeSync(log);
    }
  };
  return {
    again: config.again,
    save: (slot, parts) => run('snapshot', slot, parts),
    apply: (slot, parts) => run('apply', slot, parts),
  };
}
