/** `sealane site list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withPromoter } from '../promoter.js';
import { describeSites } from '../site/describe.js';

export const command: CommandSpec = {
  name: 'site list',
  summary: 'list enrolled sites with their last receipt',
  example: 'sealane site list --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const sites = await withPromoter(call, (promoter) => describeSites(promoter));
  const text = sites
    .map(({ site, stage, retired, lastEvent, lastAt }) =>
      [site, stage, lastEvent ?? 'no receipt yet', lastAt ?? '', ...(retired ? ['retired'] : [])].join('  '),
    )
    .join('\n');
  return { exit: 0, json: { sites }, text };
}
