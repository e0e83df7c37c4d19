/** `sealane channel set`: points groups at a release that has passed this stage already. */
import { type Digest, PromoterError, sha256 } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { LedgerEntry } from '@sealane/ledger';
import { readDecision } from '@sealane/trust';
import { setChannelGroups } from '../channel/channel-edit.js';
import { GROUP } from '../command-parts.js';
import { expectNotRevoked } from '../decision/channel-revocation.js';
import { buildWaybill } from '../decision/waybill.js';
import { rolloutOf } from '../decision/rollout.js';
import { statementOf } from '../log/log-statements.js';
import { optionalText, type Promoter, releaseOf, stageOf, textArgument, withLockedPromoter } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'channel set',
  summary: 'point a stage at a release that it has passed before',
  arguments: [
    { name: 'stage', description: 'name of the stage' },
    { name: 'release', description: 'sha256:… or NAME@VERSION' },
  ],
  options: [GROUP],
  example: 'sealane channel set prod readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const stage = textArgument(call, 0, 'STAGE');
    const { digest } = await releaseOf(promoter.ledger, textArgument(call, 1, 'RELEASE'));
    const groups = rolloutOf(promoter, stage, optionalText(call, 'group'));
    expectNotRevoked(promoter, stage, digest);
    const decision = await lastPassed(promoter, stage, digest);
    const { counter, rollout } = readDecision(statementOf(decision)).sealane_promotion;
    const outside = groups.find((group) => !rollout.includes(group));
    if (counter === null || outside !== undefined) {
      throw new PromoterError(
        'WAYBILL_STAGE_ORDER',
        `set ${stage} to ${digest}: expected a decision for group ${outside ?? ''}, got one for ${rollout.join(', ')}`,
      );
    }
    const waybill = await buildWaybill(promoter, { release: digest, stage, rollout }, decision);
    const channel = setChannelGroups(promoter, stage, groups, {
      release: digest,
      waybill: sha256(waybill),
      length: waybill.length,
      counter,
    });
    await publishLane(promoter, new Map([[stage, channel]]));
    return { exit: 0, json: { stage, release: digest, groups }, text: `${stage} runs ${digest} for ${groups.join(', ')}` };
  });
}

async function lastPassed(promoter: Promoter, stage: string, release: Digest): Promise<LedgerEntry> {
  stageOf(promoter, stage);
  const rows = await promoter.ledger.decisions({ stage });
  const row = rows.filter((decision) => decision.result === 'PASSED' && decision.release === release).at(-1);
  if (row === undefined) {
    throw new PromoterError(
      'WAYBILL_STAGE_ORDER',
      `set ${stage} to ${release}: expected a PASSED decision of ${stage} for it, got none`,
      {},
      { hint: `promote it first: sealane promote RELEASE --to ${stage}` },
    );
  }
  return await promoter.ledger.entry(row.index);
}
