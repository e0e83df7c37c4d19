/** `sealane channel unhold`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { holdGroups } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { GROUP, NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { rolloutOf } from '../decision/rollout.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'channel unhold',
  summary: 'free a stage that was held',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  options: [GROUP, OPTIONAL_REASON],
  example: 'sealane channel unhold prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const stage = textArgument(call, 0, 'STAGE');
    const groups = rolloutOf(promoter, stage, optionalText(call, 'group'));
    const channel = holdGroups(promoter, stage, groups, undefined);
    const reason = optionalText(call, 'reason') ?? NO_REASON;
    const statement = await giveOrder(promoter, { order: 'unhold', stage, groups, reason }, channel);
    return {
      exit: 0,
      json: { stage, held: channel.held, statements: [statement] },
      text: `${stage}: ${counted(channel.held.length, 'group')} held`,
    };
  });
}
