/** `sealane channel hold`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { holdGroups } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { GROUP, NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { rolloutOf } from '../decision/rollout.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'channel hold',
  summary: 'hold a stage: its sites install nothing until it is freed; promotions go on, other than in a freeze',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  options: [GROUP, OPTIONAL_REASON],
  example: 'sealane channel hold prod --reason "incident 12" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const stage = textArgument(call, 0, 'STAGE');
    const groups = rolloutOf(promoter, stage, optionalText(call, 'group'));
    const reason = optionalText(call, 'reason') ?? NO_REASON;
    const channel = holdGroups(promoter, stage, groups, reason);
    const statement = await giveOrder(promoter, { order: 'hold', stage, groups, reason }, channel);
    return {
      exit: 0,
      json: { stage, held: channel.held, statements: [statement] },
      text: `${stage}: ${counted(channel.held.length, 'group')} held`,
    };
  });
}
