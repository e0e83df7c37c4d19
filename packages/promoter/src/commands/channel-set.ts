/** `sealane channel set`: points groups at a release that has passed this stage already. */
import { sha256 } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { setChannelGroups } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { standingDecision } from '../channel/point.js';
import { GROUP, NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { buildWaybill } from '../decision/waybill.js';
import { rolloutOf } from '../decision/rollout.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'channel set',
  summary: 'point a stage at a release that it has passed before',
  arguments: [
    { name: 'stage', description: 'name of the stage' },
    { name: 'release', description: 'sha256:… or NAME@VERSION' },
  ],
  options: [GROUP, OPTIONAL_REASON],
  example: 'sealane channel set prod readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const stage = textArgument(call, 0, 'STAGE');
    const { digest } = await releaseOf(promoter, textArgument(call, 1, 'RELEASE'));
    const groups = rolloutOf(promoter, stage, optionalText(call, 'group'));
    const { entry, counter, rollout } = await standingDecision(promoter, stage, groups, digest);
    const waybill = await buildWaybill(promoter, { release: digest, stage, rollout }, entry);
    const channel = setChannelGroups(promoter, stage, groups, {
      release: digest,
      waybill: sha256(waybill),
      length: waybill.length,
      counter,
    });
    const reason = optionalText(call, 'reason') ?? NO_REASON;
    const statement = await giveOrder(promoter, { order: 'set', stage, groups, reason, release: digest }, channel);
    return {
      exit: 0,
      json: { stage, release: digest, groups, statements: [statement] },
      text: `${stage} runs ${digest} for ${groups.join(', ')}`,
    };
  });
}
