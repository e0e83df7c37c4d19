/** `sealane exception list`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { listExceptions } from '../exception/exceptions.js';
import { withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'exception list',
  summary: 'list exceptions: who granted them, what rests on them, and which reviews are open',
  options: [{ flags: '--open', description: 'only those that were used and that nobody has reviewed since' }],
  example: 'sealane exception list --open --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withPromoter(call, async (promoter) => {
    const all = await listExceptions(promoter);
    const exceptions = call.options['open'] === true ? all.filter(({ state }) => state === 'open') : all;
    const lines = exceptions.map(
      ({ statements, state, kind, gate, sites, site, stage, release, grantedBy, need, usedBy, uses, expiresAt, reason }) =>
        `${statements[0] ?? ''}  ${state}  ${[kind, gate ?? site?.name ?? sites?.join(', ') ?? ''].join(' ').trim()} of ${stage} for ${release}, by ${grantedBy.join(', ') || 'nobody who may'} (${need} needed), ` +
        `used ${usedBy.length} of ${uses}, until ${expiresAt}: ${reason}`,
    );
    return { exit: 0, json: { exceptions }, text: lines.join('\n') };
  });
}
