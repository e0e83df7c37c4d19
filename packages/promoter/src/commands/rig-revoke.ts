/** `sealane rig revoke`: calls a rig, a class of device or a unit back, and reopens what was tested on it. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { type LeftStage, noteLeft, withLeft } from '../channel/left-stages.js';
import { refreshedChannels } from '../channel/refresh-waybills.js';
import { REASON, statementsResult } from '../command-parts.js';
import { optionalText, textOption, withLockedPromoter, withPromoter } from '../promoter.js';
import { logAboutRigs } from '../rig/enrol.js';
import { signRecall } from '../rig/recall.js';
import { NOTHING_BESIDE, publishLane } from '../trust/publish-lane.js';

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
  const [rig] = call.args;
  const untilIndex = indexOption(optionalText(call, 'untilIndex'));
  const signed = await withPromoter(call, async (promoter) =>
    signRecall(promoter, {
      rig: typeof rig === 'string' ? rig : undefined,
      deviceClass: optionalText(call, 'class'),
      serial: optionalText(call, 'serial'),
      reason: textOption(call, 'reason'),
      untilIndex,
      registrar: await promoter.signer(textOption(call, 'key')),
    }),
  );
  return await withLockedPromoter(call, async (promoter) => {
    const statements = await logAboutRigs(promoter, signed);
    const left: LeftStage[] = [];
    await publishLane(promoter, await refreshedChannels(promoter), { ...NOTHING_BESIDE, leave: noteLeft(left) });
    // what is logged counts for every gate; once the keys can be had, any recall brings the waybills of all stages up to date
    return withLeft(statementsResult(statements), left, 'sealane rig revoke, with the same words');
  });
}

function indexOption(text = '0'): number {
  if (!/^\d{1,15}$/.test(text)) throw new PromoterError('USAGE', `read --until-index: expected a log index, got ${JSON.stringify(text)}`);
  return Number(text);
}
