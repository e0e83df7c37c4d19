/** `sealane evidence export`. */
import path from 'node:path';
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { exportRelease } from '../carry/export-release.js';
import { textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'evidence export',
  summary:
    'write a release with its bytes, all that is said of it, and proofs, for a lane that no network reaches or to bring back from one',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [{ flags: '--out <dir>', description: 'where to write it', required: true }],
  example: 'sealane evidence export readings@1.0.0 --out carried --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const out = path.resolve(call.io.cwd, textOption(call, 'out'));
  return await withLockedPromoter(call, async (promoter) => {
    const exported = await exportRelease(promoter, await releaseOf(promoter, textArgument(call, 0, 'RELEASE')), out);
    const { release, statements, log } = exported;
    return {
      exit: 0,
      json: exported,
      text: `${out}: ${release} with ${counted(statements, 'statement')}, proved by ${log.origin} at ${counted(log.size, 'entry')}`,
    };
  });
}
