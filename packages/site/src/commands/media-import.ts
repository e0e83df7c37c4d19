/** `sealane-site media import`. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { importMedium } from '../apply/medium.js';
import { expectNotRetired } from '../apply/retirement.js';
import { withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'media import',
  summary: 'take a medium into the mirror, verifying while it copies; install nothing',
  arguments: [{ name: 'dir', description: 'the folder that sealane media export wrote' }],
  example: 'sealane-site media import medium --config site/site.yaml --state site/state',
  run: (call) => {
    const [dir] = call.args;
    const medium = path.resolve(call.io.cwd, typeof dir === 'string' ? dir : '');
    return withLockedSite(call, async (site, machine) => {
      expectNotRetired(machine.state(), `import medium ${medium}`);
      if (site.world.disk.kind(medium) !== 'folder')
        throw new SiteError('USAGE', `import medium ${medium}: expected a folder, got nothing of the kind`);
      const done = await importMedium(site, medium);
      return {
        exit: 0,
        json: done,
        text: `${done.imported} files imported, ${done.skipped} were here already`,
        hint: 'install what it brought: sealane-site update',
      };
    });
  },
};
