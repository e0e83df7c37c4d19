/** `sealane-site start`: what is committed runs again after a stop. */
import { SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { expectNotDrained } from '../apply/drain.js';
import { keepRunning } from '../apply/keep-running.js';
import { withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'start',
  summary: 'start the workload after a stop',
  example: 'sealane-site start --config site/site.yaml --state site/state',
  run: (call) =>
    withLockedSite(call, async (site, machine) => {
      expectNotDrained(machine.state(), 'start the workload');
      const { current } = machine.state();
      if (current === null)
        throw new SiteError(
          'ROLLBACK_NONE',
          'start the workload: expected an installed release, got none',
          {},
          { hint: 'install one: sealane-site update' },
        );
      if (machine.state().stopped) machine.record({ is: 'started' });
      await keepRunning(site, machine.state());
      const workload = await site.driver.status();
      const json = { site: site.config.name, stopped: false, workload };
      return {
        exit: workload.is === 'running' || workload.is === 'handed-over' ? 0 : 7,
        json,
        text: `${current.name} ${current.version}: ${workload.is}`,
      };
    }),
};
