/** `sealane trust publish`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withLockedPromoter } from '../promoter.js';
import { joinSignatures, publishProposal } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust publish',
  summary: 'publish the proposal when the owners’ thresholds are met',
  arguments: [{ name: '[file...]', description: 'copies of proposed files that owners signed elsewhere' }],
  example: 'sealane trust publish --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const [copies] = call.args;
  return await withLockedPromoter(call, async (promoter) => {
    for (const copy of Array.isArray(copies) ? (copies as readonly string[]) : []) joinSignatures(promoter, path.resolve(call.io.cwd, copy));
    return proposalResult(await publishProposal(promoter), 0);
  });
}
