/** `sealane channel show`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { channelText } from '../channel/channel-text.js';
import { serviceAddress } from '../client/service-address.js';
import { stageOf, textArgument, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'channel show',
  summary: 'show what a stage runs, group by group, and what is held, fenced, drained, revoked',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  example: 'sealane channel show prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const server = serviceAddress(call);
  if (server !== undefined) return await (await import('../client/remote-channel.js')).channelShowAt(call, server);
  return await withPromoter(call, (promoter) => {
    const { channel, version, expiresAt } = stageOf(promoter, textArgument(call, 0, 'STAGE'));
    const { stage, issuedAt, groups, rollback, held, frozen = null, fenced, drained = [], revoked, floor } = channel;
    const json = { stage, version, issuedAt, expiresAt, groups, rollback, held, frozen, fenced, drained, revoked, floor };
    return Promise.resolve({ exit: 0 as const, json, text: channelText(json) });
  });
}
