/** `sealane trust show`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withPromoter } from '../promoter.js';
import { showProposal } from '../trust/ceremony.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust show',
  summary: 'show the open proposal and who has signed it',
  example: 'sealane trust show --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withPromoter(call, (promoter) => Promise.resolve(proposalResult(showProposal(promoter), 0)));
}
