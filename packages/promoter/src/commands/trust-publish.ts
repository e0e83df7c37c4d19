/** `sealane trust publish`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { type Promoter, withLockedPromoter } from '../promoter.js';
import { joinCopies, publishProposal } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';
import { readUnfinished } from '../trust/unfinished.js';

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
  const publish = async (promoter: Promoter): Promise<CommandResult> => {
    const proposal = joinCopies(promoter, files);
    const kept = await publishProposal(promoter, proposal);
    const result = proposalResult(proposal, kept, 0);
    return { ...result, text: `published, and kept in ${kept}\n${result.text}` };
  };
  // killed in the middle, it goes on: also where nobody can read the lane until it has
  return await withLockedPromoter(call, publish, readUnfinished);
}
