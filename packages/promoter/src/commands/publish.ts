/** `sealane publish`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { Channel } from '@sealane/trust';
import { witnessedHead } from '../log/log-statements.js';
import { type Promoter, withLockedPromoter } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'publish',
  summary: 'publish the lane again: fresh checkpoint, snapshot and timestamp; with --refresh the channels too',
  options: [{ flags: '--refresh', description: 're-sign every stage, for 30 more days' }],
  example: 'sealane publish --refresh --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    await witnessedHead(promoter, 'always');
    const channels = call.options['refresh'] === true ? refreshed(promoter) : new Map<string, Channel>();
    await publishLane(promoter, channels);
    return {
      exit: 0,
      json: { stages: [...channels.keys()] },
      text: `published${channels.size === 0 ? '' : `, stages ${[...channels.keys()].join(', ')} re-signed`}`,
    };
  });
}

function refreshed({ lane }: Promoter): Map<string, Channel> {
  return new Map([...lane.stages].map(([stage, { channel }]) => [stage, channel]));
}
