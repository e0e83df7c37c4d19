/** `sealane-site hold`: an operator stops updates here; what runs goes on. */
import { SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { isTime } from '@sealane/trust';
import { readTrustFile } from '../apply/trust-file.js';
import { trustedNow } from '../apply/trusted-time.js';
import { peoplesText, textOption, withLockedSite } from '../site-shell.js';

/** The reason of a hold that named none. */
const NO_REASON = 'none given';

/** The command. */
export const command: CommandSpec = {
  name: 'hold',
  summary: 'hold updates at this site',
  options: [
    { flags: '--reason <text>', description: 'why, for whoever comes next (default: none given)' },
    { flags: '--until <time>', description: 'when it lapses by itself (RFC 3339 in UTC); without it, when it is lifted' },
  ],
  example: "sealane-site hold --reason 'crane works' --until 2099-01-01T00:00:00Z --config site/site.yaml --state site/state",
  run: (call) =>
    withLockedSite(call, (site, machine) => {
      const until = textOption(call.options['until']) ?? null;
      const at = trustedNow(readTrustFile(site.world.disk, site.folder.trust).time, site.world.clock);
      // a hold that has lapsed already would hold nothing, and who gave it would believe that it does
      if (until !== null && !(isTime(until) && until > at))
        throw new SiteError('USAGE', `hold updates: expected --until after ${at}, as YYYY-MM-DDThh:mm:ssZ, got ${JSON.stringify(until)}`);
      const hold = { reason: call.options['reason'] === undefined ? NO_REASON : peoplesText(call, 'reason'), at, until };
      machine.record({ is: 'hold', hold });
      return Promise.resolve({
        exit: 0,
        json: { site: site.config.name, hold },
        text: `updates are held${until === null ? '' : ` until ${until}`}: ${hold.reason}`,
      });
    }),
};
