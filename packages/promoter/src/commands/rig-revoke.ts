/** `sealane rig revoke`: calls a rig, a class of device or a unit back, and reopens what was tested on it. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { refreshedChannels } from '../channel/refresh-waybills.js';
import { REASON, statementsResult } from '../command-parts.js';
import { optionalText, textOption, withLockedPromoter } from '../promoter.js';
import { recall } from '../rig/recall.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'rig revoke',
  summary: 'call back a rig, a class of device or a unit: what was tested on it counts no more',
  arguments: [{ name: '[rig]', description: 'name of the rig' }],
  options: [
    { flags: '--class <digest>', description: 'instead of a rig: every device of this class' },
    { flags: '--serial <text>', description: 'instead of a rig: the unit with this serial number' },
    { flags: '--until-index <n>', description: 'results logged below it stand (default: 0, none does)' },
    REASON,
    { flags: '--key <keyref>', description: "the registrar's key", required: true },
  ],
  example: 'sealane rig revoke rig-1 --reason "loose cable since spring" --key registrar --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const [rig] = call.args;
    const statements = await recall(promoter, {
      rig: typeof rig === 'string' ? rig : undefined,
      deviceClass: optionalText(call, 'class'),
      serial: optionalText(call, 'serial'),
      reason: textOption(call, 'reason'),
      untilIndex: indexOption(optionalText(call, 'untilIndex')),
      registrar: await promoter.signer(textOption(call, 'key')),
    });
    await publishLane(promoter, await refreshedChannels(promoter));
    return statementsResult(statements);
  });
}

function indexOption(text = '0'): number {
  if (!/^\d{1,15}$/.test(text)) throw new PromoterError('USAGE', `read --until-index: expected a log index, got ${JSON.stringify(text)}`);
  return Number(text);
}
