/** `sealane-site exception apply`: take in an exception that people granted this site; the next update or rollback uses it. */
import path from 'node:path';
import { LIMITS, SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { takeException } from '../apply/exception.js';
import { withLockedSite } from '../site-shell.js';

/** How each kind is used. */
const HINTS = {
  stale: 'use it: sealane-site update',
  rollback: 'use it: sealane-site rollback RELEASE',
  'local-role': 'use it on the socket of technicians: sealane-site VERB --as PERSON',
} as const;

/** The command. */
export const command: CommandSpec = {
  name: 'exception apply',
  summary: 'take in an exception that was granted to this site; it is used once',
  arguments: [{ name: 'file', description: 'as sealane exception export wrote it' }],
  example: 'sealane-site exception apply exception.json --config site/site.yaml --state site/state',
  run: (call) =>
    withLockedSite(call, async (site, machine) => {
      const [given] = call.args;
      if (typeof given !== 'string') throw new SiteError('USAGE', 'take in an exception: expected its file');
      const file = path.resolve(call.io.cwd, given);
      const bytes = site.world.disk.read(file, LIMITS.bundleBytes);
      if (bytes === undefined)
        throw new SiteError(
          'CONFIG_INVALID',
          `read ${file}: expected an exception, got no such file`,
          { path: file },
          { hint: 'check the path: nothing is there' },
        );
      const { kind, release, by, expiresAt, reason, statements } = await takeException(site, machine, bytes);
      return {
        exit: 0,
        json: { site: site.config.name, kind, release, by, expiresAt, reason, statements },
        text: `${kind} for ${release}, by ${by.join(', ')} until ${expiresAt}: ${reason}`,
        hint: HINTS[kind].replace('RELEASE', release),
      };
    }),
};
