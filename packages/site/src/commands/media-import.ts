/** `sealane-site media import`. */
import path from 'node:path';
import { counted } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { type ImportedMedium, importMedium } from '../apply/medium.js';
import { expectMedium } from '../apply/medium-folder.js';
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
      expectMedium(site.world.disk, medium);
      const done = await importMedium(site, machine, medium);
      return { exit: 0, json: done, text: textOf(done), hint: done.reason === null ? INSTALL : LOOK };
    });
  },
};

const INSTALL = 'install what it brought: sealane-site update';
const LOOK = 'what runs, and what is to be done: sealane-site status';

function textOf({ imported, skipped, reason }: ImportedMedium): string {
  if (reason !== null) return `nothing new: ${reason} (${counted(skipped, 'file')})`;
  if (imported + skipped === 0) return 'newer orders of the lane, and no file of a release';
  if (imported === 0) return `newer orders of the lane; ${counted(skipped, 'file was', 'files were')} here already`;
  return `${counted(imported, 'file')} imported, ${skipped} were here already`;
}
