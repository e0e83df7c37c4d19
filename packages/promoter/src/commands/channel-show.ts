/** `sealane channel show`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { stageOf, textArgument, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'channel show',
  summary: 'show what a stage runs, group by group, and what is held, fenced, revoked',
  arguments: [{ name: 'stage', description: 'name of the stage' }],
  example: 'sealane channel show prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withPromoter(call, (promoter) => {
    const { channel, version, expiresAt } = stageOf(promoter, textArgument(call, 0, 'STAGE'));
    const { stage, issuedAt, groups, rollback, held, frozen = null, fenced, revoked, floor } = channel;
    const lines = [
      `${stage}: version ${version}, issued ${issuedAt}, expires ${expiresAt}`,
      ...groups.map(({ name, release, counter }) => `  ${name}  ${release}  #${counter}`),
      ...(frozen === null ? [] : [`  frozen until ${frozen.until}: ${frozen.reason}`]),
      ...held.map(({ group, reason }) => `  held ${group}: ${reason}`),
      ...fenced.map(({ site, reason }) => `  fenced ${site}: ${reason}`),
      ...revoked.map(({ release, reason }) => `  revoked ${release}: ${reason}`),
    ];
    return Promise.resolve({
      exit: 0 as const,
      json: { stage, version, issuedAt, expiresAt, groups, rollback, held, frozen, fenced, revoked, floor },
      text: lines.join('\n'),
    });
  });
}
