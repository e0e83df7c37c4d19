/** `sealane trust propose`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { listOption, withLockedPromoter } from '../promoter.js';
import { propose } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust propose',
  summary: 'propose the policies of pipeline.yaml (and new root keys) for the owners to sign',
  options: [{ flags: '--root-key <name>', description: 'a key under owners/ for a new root; name all of them', repeat: true }],
  example: 'sealane trust propose --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const rootKeys = listOption(call, 'rootKey');
  return await withLockedPromoter(call, async (promoter) => proposalResult(await propose(promoter, rootKeys.length === 0 ? {} : { rootKeys }), 5));
}
