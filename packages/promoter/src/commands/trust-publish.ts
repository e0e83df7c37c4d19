/** `sealane trust publish`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withLockedPromoter } from '../promoter.js';
import { joinCopies, publishProposal } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust publish',
  summary: 'publish the open proposal when enough owners have signed it',
  arguments: [{ name: '[file...]', description: 'copies of the proposal that owners signed elsewhere; their signatures are joined' }],
  example: 'sealane trust publish --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const [copies] = call.args;
  const files = Array.isArray(copies) ? (copies as readonly string[]).map((copy) => path.resolve(call.io.cwd, copy)) : [];
  return await withLockedPromoter(call, async (promoter) => {
    const proposal = joinCopies(promoter, files);
    const kept = await publishProposal(promoter, proposal);
    return proposalResult(proposal, kept, 0);
  });
}
