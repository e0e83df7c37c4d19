/** `sealane rig list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withPromoter } from '../promoter.js';
import { describeRigs } from '../rig/describe.js';

export const command: CommandSpec = {
  name: 'rig list',
  summary: 'list enrolled test rigs: when each was built, and whether it was revoked',
  example: 'sealane rig list --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const rigs = await withPromoter(call, (promoter) => describeRigs(promoter));
  const text = rigs
    .map(
      ({ rig, builtAt, template, recalled }) =>
        `${rig}  built ${builtAt} from ${template}${recalled === null ? '' : `  revoked: ${recalled.reason}`}`,
    )
    .join('\n');
  return { exit: 0, json: { rigs }, text };
}
