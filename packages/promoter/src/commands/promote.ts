/** `sealane promote`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { serviceAddress } from '../client/service-address.js';
import { GROUP, TO_STAGE } from '../command-parts.js';
import { outcomeResult } from '../decision/outcome-result.js';
import { promote } from '../decision/promote.js';
import { optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { REPORT, wantedReports, writeReports } from '../reports/report-shell.js';

export const command: CommandSpec = {
  name: 'promote',
  summary: 'move a release into a stage when every gate holds, and say why when not',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [TO_STAGE, GROUP, REPORT],
  example: 'sealane promote readings@1.0.0 --to prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const server = serviceAddress(call);
  const reports = wantedReports(call);
  const result =
    server === undefined ? await promoteHere(call) : await (await import('../client/remote-decision.js')).promoteAt(call, server);
  writeReports(reports, result);
  return result;
}

async function promoteHere(call: CommandCall): Promise<CommandResult> {
  const stage = textOption(call, 'to');
  return await withLockedPromoter(call, async (promoter) => {
    const wish = { release: textArgument(call, 0, 'RELEASE'), stage, group: optionalText(call, 'group') };
    return outcomeResult(await promote(promoter, wish));
  });
}
