/** `sealane publish`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withLockedPromoter } from '../promoter.js';
import { refreshLane } from '../trust/refresh-lane.js';

export const command: CommandSpec = {
  name: 'publish',
  summary: 'publish the lane again: fresh checkpoint, snapshot and timestamp; with --refresh the channels too',
  options: [{ flags: '--refresh', description: 're-sign every stage, for 30 more days' }],
  example: 'sealane publish --refresh --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const stages = call.options['refresh'] === true ? [...promoter.lane.stages.keys()] : [];
    await refreshLane(promoter, stages);
    return { exit: 0, json: { stages }, text: `published${stages.length === 0 ? '' : `, stages ${stages.join(', ')} re-signed`}` };
  });
}
