/** `sealane tuf init`: trusts a root that came by another way. */
import path from 'node:path';
import type { CommandSpec } from '@sealane/core/command-line';
import { PromoterError } from '@sealane/core';
import { initMetadataFolder, openMetadataFolder } from '../tuf-client/metadata-folder-shell.js';
import { answerTuf, folderOption, METADATA_DIR, rulesOf, STRICT } from '../tuf-client/tuf-command.js';

export const command: CommandSpec = {
  name: 'tuf init',
  summary: 'trust a TUF root that came by another way (no trust on first use)',
  arguments: [{ name: 'root', description: 'the root.json to trust' }],
  options: [METADATA_DIR, STRICT],
  example: 'sealane tuf init .quickstart/home/lane/trust/metadata/1.root.json --metadata-dir .quickstart/tuf-init',
  run: async (call) => {
    const [root] = call.args;
    if (typeof root !== 'string') throw new PromoterError('USAGE', 'run sealane tuf init: expected the root file');
    const folder = folderOption(call, 'metadataDir');
    return await answerTuf(call, openMetadataFolder(folder), () => {
      initMetadataFolder(folder, path.resolve(call.io.cwd, root), rulesOf(call));
      return Promise.resolve();
    });
  },
};
