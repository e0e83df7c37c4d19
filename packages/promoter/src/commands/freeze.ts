/** `sealane freeze`: stops the line at a stage. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { freezeStage } from '../channel/channel-edit.js';
import { freezeEnd, giveOrder } from '../channel/give-order.js';
import { REASON } from '../command-parts.js';
import { rolloutOf } from '../decision/rollout.js';
import { optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'freeze',
  summary: 'freeze a stage: nothing is promoted into it and its sites install nothing, while what runs goes on',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  options: [
    REASON,
    { flags: '--until <time>', description: 'when the freeze ends by itself, as 2026-12-24T10:00:00Z (default: in 7 days)' },
  ],
  example: 'sealane freeze prod --reason "year-end" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const [stage, reason] = [textArgument(call, 0, 'STAGE'), textOption(call, 'reason')];
    const groups = rolloutOf(promoter, stage);
    const until = freezeEnd(promoter.now(), optionalText(call, 'until'));
    const frozen = { reason, until };
    const statement = await giveOrder(
      promoter,
      { order: 'freeze', stage, groups, reason, expiresAt: until },
      freezeStage(promoter, stage, frozen),
    );
    return { exit: 0, json: { stage, frozen, statements: [statement] }, text: `${stage}: frozen until ${until}` };
  });
}
