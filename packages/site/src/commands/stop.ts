/** `sealane-site stop`: the workload stays stopped, over reboots too, until it is started or another release is installed. */
import type { CommandSpec } from '@sealane/core/command-line';
import { stopWorkload } from '../apply/slot-watch.js';
import { withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'stop',
  summary: 'stop the workload until it is started or updated',
  example: 'sealane-site stop --config site/site.yaml --state site/state',
  run: (call) =>
    withLockedSite(call, async (site, machine) => {
      const { driver, config } = site;
      if (!machine.state().stopped) machine.record({ is: 'stopped' });
      await stopWorkload(site);
      return {
        exit: 0,
        json: { site: config.name, stopped: true, workload: await driver.status() },
        text: `${config.name}: the workload is stopped`,
        hint: 'start it again: sealane-site start',
      };
    }),
};
