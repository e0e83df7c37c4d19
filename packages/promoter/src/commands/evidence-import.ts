/** `sealane evidence import`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { importRelease } from '../carry/import-release.js';
import { textArgument, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'evidence import',
  summary: "take in a release that another lane exported, with the evidence by keys that this lane's policies name",
  arguments: [{ name: 'dir', description: 'the folder that evidence export wrote' }],
  example: 'sealane evidence import carried --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const folder = path.resolve(call.io.cwd, textArgument(call, 0, 'DIR'));
  return await withLockedPromoter(call, async (promoter) => {
    const imported = await importRelease(promoter, folder);
    const { release, name, version, statements, left } = imported;
    const lines = [
      `${release}  ${name}@${version}`,
      ...statements.map(({ predicateType, logIndex }) => `  entry ${String(logIndex)}  ${predicateType}`),
      ...left.map(({ predicateType, why }) => `  left behind  ${predicateType}: ${why}`),
    ];
    return { exit: 0, json: imported, text: lines.join('\n') };
  });
}
