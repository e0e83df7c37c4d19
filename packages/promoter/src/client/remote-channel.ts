/** `sealane channel show` at a service. */
import type { CommandCall, CommandResult } from '@sealane/core/command-line';
import { channelText } from '../channel/channel-text.js';
import { textArgument } from '../promoter.js';
import { channelShape } from '../service/answers.js';
import { openService } from './service-shell.js';

/** What a stage runs, as the service at `address` says. */
export async function channelShowAt(call: CommandCall, address: string): Promise<CommandResult> {
  const service = await openService(address, call.io);
  const path = `/api/v1/channels/${encodeURIComponent(textArgument(call, 0, 'STAGE'))}`;
  const { exit, json } = await service.call({ method: 'GET', path }, channelShape);
  return { exit, json, text: channelText(json) };
}
