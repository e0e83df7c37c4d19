/** `sealane channel rollback`: a stage goes back to one of its earlier releases. */
import { type Digest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { ChannelChoice } from '@sealane/trust';
import { setChannelGroups } from '../channel/channel-edit.js';
import { giveOrder } from '../channel/give-order.js';
import { standingDecision } from '../channel/point.js';
import { GROUP, NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { rolloutOf } from '../decision/rollout.js';
import { optionalText, type Promoter, stageOf, textArgument, withLockedPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'channel rollback',
  summary: 'take a stage back to one of its earlier releases, signed and logged with the reason',
  arguments: [
    { name: 'stage', description: 'name of the stage' },
    { name: '[release]', description: 'as --to' },
  ],
  options: [
    { flags: '--to <release>', description: 'sha256:… or NAME@VERSION, one that the stage ran before (default: the one before this one)' },
    GROUP,
    OPTIONAL_REASON,
  ],
  example: 'sealane channel rollback prod --to readings@1.0.0 --reason "slow since 1.1.0" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const [stage, reason] = [textArgument(call, 0, 'STAGE'), optionalText(call, 'reason') ?? NO_REASON];
    const groups = rolloutOf(promoter, stage, optionalText(call, 'group'));
    const release = await wantedRelease(promoter, stage, groups, call);
    await standingDecision(promoter, stage, groups, release);
    const channel = setChannelGroups(promoter, stage, groups, choiceOf(promoter, stage, release));
    const statement = await giveOrder(promoter, { order: 'rollback', stage, groups, reason, release }, channel);
    return {
      exit: 0,
      json: { stage, release, groups, statements: [statement] },
      text: `${stage} goes back to ${release} for ${groups.join(', ')}`,
    };
  });
}

/** The release that is named, or the last one that the stage let in before what these groups run. */
async function wantedRelease(promoter: Promoter, stage: string, groups: readonly string[], call: CommandCall): Promise<Digest> {
  const given = new Set([optionalText(call, 'to'), call.args[1]].filter((word) => typeof word === 'string'));
  const [name, other] = given;
  if (other !== undefined) throw new PromoterError('USAGE', `take ${stage} back: expected one release, got ${[...given].join(' and ')}`);
  if (name !== undefined) return (await releaseOf(promoter, name)).digest;
  const { channel } = stageOf(promoter, stage);
  const runs = Math.max(...channel.groups.filter((group) => groups.includes(group.name)).map(({ counter }) => counter));
  const [before] = channel.rollback.filter(({ counter }) => counter < runs).sort((left, right) => right.counter - left.counter);
  if (before !== undefined) return before.release;
  throw new PromoterError(
    'WAYBILL_STAGE_ORDER',
    `take ${stage} back: expected a release that it ran before, its channel keeps none`,
    {},
    { hint: `see what it runs: sealane channel show ${stage}; to stop its sites from installing: sealane channel hold ${stage}` },
  );
}

/** The release as the channel keeps it, with the waybill that sites took then. @throws PromoterError `WAYBILL_STAGE_ORDER` it keeps others */
function choiceOf(promoter: Promoter, stage: string, release: Digest): ChannelChoice {
  const { rollback, groups } = stageOf(promoter, stage).channel;
  const found = [...rollback, ...groups].find((choice) => choice.release === release);
  if (found !== undefined) return { release, waybill: found.waybill, length: found.length, counter: found.counter };
  throw new PromoterError(
    'WAYBILL_STAGE_ORDER',
    `take ${stage} back to ${release}: expected one of the ${rollback.length} releases that its channel keeps, got another`,
    {},
    { hint: `see them: sealane channel show ${stage} --json` },
  );
}
