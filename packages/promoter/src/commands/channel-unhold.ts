/** `sealane channel unhold`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { holdGroups } from '../channel/channel-edit.js';
import { GROUP } from '../command-parts.js';
import { rolloutOf } from '../decision/rollout.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'channel unhold',
  summary: 'free a stage that was held',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  options: [GROUP],
  example: 'sealane channel unhold prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const stage = textArgument(call, 0, 'STAGE');
    const groups = rolloutOf(promoter, stage, optionalText(call, 'group'));
    const channel = holdGroups(promoter, stage, groups, undefined);
    await publishLane(promoter, new Map([[stage, channel]]));
    return { exit: 0, json: { stage, held: channel.held }, text: `${stage}: ${channel.held.length} groups held` };
  });
}
