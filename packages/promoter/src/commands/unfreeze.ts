/** `sealane unfreeze`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { freezeStage } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { REASON } from '../command-parts.js';
import { rolloutOf } from '../decision/rollout.js';
import { textArgument, textOption, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'unfreeze',
  summary: 'take a freeze back before its end',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  options: [REASON],
  example: 'sealane unfreeze prod --reason "the incident is over" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const [stage, reason] = [textArgument(call, 0, 'STAGE'), textOption(call, 'reason')];
    const groups = rolloutOf(promoter, stage);
    const channel = freezeStage(promoter, stage, undefined);
    const statement = await giveOrder(promoter, { order: 'unfreeze', stage, groups, reason }, channel);
    return { exit: 0, json: { stage, frozen: null, statements: [statement] }, text: `${stage}: not frozen` };
  });
}
