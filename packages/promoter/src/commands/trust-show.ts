/** `sealane trust show`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf } from '../promoter.js';
import { readProposal } from '../trust/described-changes.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust show',
  summary: 'show what a proposal changes and who has signed it',
  arguments: [{ name: '[file]', description: 'the proposal (default: the open one of this home)' }],
  example: 'sealane trust show --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const [given] = call.args;
  const file = typeof given === 'string' ? path.resolve(call.io.cwd, given) : homeOf(call).proposal;
  return Promise.resolve(proposalResult(readProposal(file), file, 0));
}
