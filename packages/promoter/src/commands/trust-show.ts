/** `sealane trust show`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { KEPT_ROOT, readHeldProposal } from '../trust/held-proposal.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust show',
  summary: 'show what a proposal changes and who has signed it',
  arguments: [{ name: '[file]', description: 'the proposal (default: the open one of this home)' }],
  options: [KEPT_ROOT],
  example: 'sealane trust show --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const { file, proposal, held } = readHeldProposal(call);
  return Promise.resolve(proposalResult(proposal, file, 0, held));
}
