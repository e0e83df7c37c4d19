/** `sealane gc`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withStillHome } from '../backup/still-home.js';
import { collectContent } from '../gc/collect.js';

export const command: CommandSpec = {
  name: 'gc',
  summary: 'list what of the lane nothing needs any more; with --delete, remove it',
  options: [{ flags: '--delete', description: 'remove what would be listed' }],
  example: 'sealane gc --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const wish = call.options['delete'] === true ? 'delete' : 'list';
  const collected = await withStillHome(call, (still) => collectContent(still, wish, Date.now()));
  const { files, bytes, kept, keptAsNew } = collected;
  const lines = [
    ...files.map((file) => `  ${file.path}  ${counted(file.bytes, 'byte')}: ${file.why}`),
    `${wish === 'delete' ? 'removed' : 'not needed'}: ${counted(files.length, 'file')}, ${counted(bytes, 'byte')}; kept: ${counted(kept, 'blob')}, of which ${keptAsNew} only because they are not an hour old`,
  ];
  return {
    exit: 0,
    json: collected,
    text: lines.join('\n'),
    ...(wish === 'list' && files.length > 0 ? { hint: 'remove them: sealane gc --delete' } : {}),
  };
}
