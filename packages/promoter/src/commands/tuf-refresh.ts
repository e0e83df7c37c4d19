/** `sealane tuf refresh`: brings trusted metadata up to date. */
import type { CommandSpec } from '@sealane/core/command-line';
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
  name: 'tuf refresh',
  summary: 'bring trusted TUF metadata up to date',
  options: [METADATA_DIR, METADATA_URL, STRICT, NOW],
  example: [
    'sealane tuf init .quickstart/home/lane/trust/metadata/1.root.json --metadata-dir .quickstart/tuf-refresh',
    'sealane tuf refresh --strict --metadata-dir .quickstart/tuf-refresh --metadata-url .quickstart/home/lane/trust/metadata',
  ].join('\n'),
  run: async (call) => {
    const folder = openMetadataFolder(folderOption(call, 'metadataDir'));
    const metadata = sourceOption(call, 'metadataUrl');
    const targets = (): Promise<undefined> => Promise.resolve(undefined);
    return await answerTuf(call, folder, () =>
      runTufClient({ folder, metadata, targets, targetFolder: '', rules: rulesOf(call), now: nowOf(call, nowText) }, []),
    );
  },
};
