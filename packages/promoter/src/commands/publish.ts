/** `sealane publish`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { optionalText, withLockedPromoter } from '../promoter.js';
import { ownersDue, refreshLane, renewBy } from '../trust/refresh-lane.js';

export const command: CommandSpec = {
  name: 'publish',
  summary: 'publish the lane again: fresh checkpoint, snapshot and timestamp; with --refresh the channels too',
  options: [
    { flags: '--refresh', description: 're-sign every stage, for 30 more days' },
    {
      flags: '--above <version>',
      description: 'after a restore: re-sign every stage, snapshot and timestamp in versions above what sites have seen',
    },
  ],
  example: 'sealane publish --refresh --home my-lane',
  run,
};

/** A slip of the hand is not to use up the versions that there are: they only grow, at every site. */
const MAX_ABOVE = 1_000_000;

async function run(call: CommandCall): Promise<CommandResult> {
  const above = versionOf(optionalText(call, 'above'));
  return await withLockedPromoter(call, async (promoter) => {
    const stages = call.options['refresh'] === true || above > 0 ? [...promoter.lane.stages.keys()] : [];
    await refreshLane(promoter, stages, above);
    const owners = ownersDue(promoter, promoter.now());
    const text = `published${stages.length === 0 ? '' : `, stages ${stages.join(', ')} re-signed`}`;
    const ends = owners.map(({ role, expiresAt }) => `${role} expires ${expiresAt}`).join(', ');
    const hint = `${ends}, and only the owners can renew it: ${[...new Set(owners.map(({ role }) => renewBy(role)))].join('; ')}`;
    return { exit: 0, json: { stages, owners }, text, ...(owners.length === 0 ? {} : { hint }) };
  });
}

function versionOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const version = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (version <= MAX_ABOVE) return version;
  throw new PromoterError('USAGE', `read --above: expected a version from 1 to ${MAX_ABOVE}, got ${text.slice(0, 40)}`);
}
