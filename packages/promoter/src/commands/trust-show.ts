/** `sealane trust show`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { rootFile } from '../client/root-file-shell.js';
import { homeOf, optionalText } from '../promoter.js';
import { expectStandsOn, readProposal } from '../trust/described-changes.js';
import { proposalResult } from '../trust/proposal-result.js';

export const command: CommandSpec = {
  name: 'trust show',
  summary: 'show what a proposal changes and who has signed it',
  arguments: [{ name: '[file]', description: 'the proposal (default: the open one of this home)' }],
  options: [
    {
      flags: '--root <file>',
      description: 'the root that was published last, as you keep it yourself: the proposal must stand on that one',
    },
  ],
  example: 'sealane trust show --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const [given] = call.args;
  const file = typeof given === 'string' ? path.resolve(call.io.cwd, given) : homeOf(call).proposal;
  const proposal = readProposal(file);
  const kept = optionalText(call, 'root');
  if (kept === undefined) return Promise.resolve(proposalResult(proposal, file, 0));
  expectStandsOn(proposal, rootFile(path.resolve(call.io.cwd, kept)), { file, root: kept });
  return Promise.resolve(proposalResult(proposal, file, 0, 'root'));
}
