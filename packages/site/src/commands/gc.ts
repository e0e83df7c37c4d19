/** `sealane-site gc`: room on the disk, never at the cost of what runs, what is kept to go back to, or what is on its way in. */
import { counted } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { bytesBelow, pruneSlots, pruneStore } from '../apply/prune.js';
import { withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'gc',
  summary: 'remove slots, blobs and receipts that nothing needs',
  example: 'sealane-site gc --config site/site.yaml --state site/state',
  run: (call) =>
    withLockedSite(call, async (site, machine) => {
      const { disk } = site.world;
      const { folder, config } = site;
      const before = bytesBelow(disk, folder.root);
      const slots = pruneSlots(site, machine.state());
      const blobs = await pruneStore(site, machine.state());
      disk.remove(folder.sentReceipts);
      const freedBytes = Math.max(0, before - bytesBelow(disk, folder.root));
      return {
        exit: 0,
        json: { site: config.name, slots: slots.length, blobs, freedBytes },
        text: `${counted(slots.length, 'slot')} and ${counted(blobs, 'blob')} removed, ${counted(freedBytes, 'byte')} freed`,
      };
    }),
};
