/** `sealane tuf download`: brings trusted metadata up to date and fetches targets that it vouches for. */
import type { CommandSpec } from '@sealane/core/command-line';
import { PromoterError } from '@sealane/core';
import { nowText } from '../clock.js';
import { openMetadataFolder } from '../tuf-client/metadata-folder-shell.js';
import { runTufClient } from '../tuf-client/tuf-client-shell.js';
import {
  answerTuf,
  folderOption,
  METADATA_DIR,
  METADATA_URL,
  NOW,
  nowOf,
  rulesOf,
  sourceOption,
  STRICT,
} from '../tuf-client/tuf-command.js';

export const command: CommandSpec = {
  name: 'tuf download',
  summary: 'download verified targets from a TUF repository',
  options: [
    METADATA_DIR,
    METADATA_URL,
    { flags: '--target-name <path>', description: 'a target path; repeat for more', repeat: true },
    { flags: '--target-base-url <url>', description: 'the targets of the repository: a web address or a folder', required: true },
    { flags: '--target-dir <dir>', description: 'where targets are put, each as one file named after its encoded path', required: true },
    STRICT,
    NOW,
  ],
  example: [
    'sealane tuf init .quickstart/home/lane/trust/metadata/1.root.json --metadata-dir .quickstart/tuf-download',
    'sealane tuf download --strict --metadata-dir .quickstart/tuf-download --metadata-url .quickstart/home/lane/trust/metadata ' +
      '--target-base-url .quickstart/home/lane/trust/targets --target-dir .quickstart/tuf-targets --target-name channel/prod.json',
  ].join('\n'),
  run: async (call) => {
    const names = call.options['targetName'];
    if (!Array.isArray(names)) throw new PromoterError('USAGE', 'run sealane tuf download: expected --target-name');
    const folder = openMetadataFolder(folderOption(call, 'metadataDir'));
    const client = {
      folder,
      metadata: sourceOption(call, 'metadataUrl'),
      targets: sourceOption(call, 'targetBaseUrl'),
      targetFolder: folderOption(call, 'targetDir'),
      rules: rulesOf(call),
      now: nowOf(call, nowText),
    };
    return await answerTuf(call, folder, () => runTufClient(client, names.map(String)));
  },
};
