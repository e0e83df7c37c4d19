/** Waybills made anew after something came that sites must learn of: what a channel points at stays, and travels with the news. */
import { type Digest, PromoterError, sha256 } from '@sealane/core';
import { type Channel, type ChannelChoice, readDecision } from '@sealane/trust';
import { buildWaybill } from '../decision/waybill.js';
import { statementOf } from '../log/log-statements.js';
import { isStages } from '../log/who-may-say.js';
import { type Promoter, stageOf } from '../promoter.js';

/** The channels of the lane whose waybills have changed, with every choice (rollback choices too) pointing at its new one. */
export async function refreshedChannels(promoter: Promoter): Promise<ReadonlyMap<string, Channel>> {
  const changed = new Map<string, Channel>();
  for (const stage of promoter.lane.stages.keys()) {
    const { channel } = stageOf(promoter, stage);
    const groups = await Promise.all(channel.groups.map((choice) => refreshed(promoter, stage, choice)));
    const rollback = await Promise.all(channel.rollback.map((choice) => refreshed(promoter, stage, choice)));
    const isSame = [...groups, ...rollback].every(({ waybill }, at) => waybill === [...channel.groups, ...channel.rollback][at]?.waybill);
    if (!isSame) changed.set(stage, { ...channel, issuedAt: promoter.now(), groups, rollback });
  }
  return changed;
}

async function refreshed<T extends ChannelChoice>(promoter: Promoter, stage: string, choice: T): Promise<T> {
  const decision = await decisionOf(promoter, stage, choice.release, choice.counter);
  const { rollout } = readDecision(statementOf(decision)).sealane_promotion;
  const waybill = await buildWaybill(promoter, { release: choice.release, stage, rollout }, decision);
  return { ...choice, waybill: sha256(waybill), length: waybill.length };
}

async function decisionOf(promoter: Promoter, stage: string, release: Digest, counter: number): ReturnType<Promoter['ledger']['entry']> {
  const { ledger } = promoter;
  const { policy } = stageOf(promoter, stage);
  const rows = (await ledger.decisions({ stage, release })).filter((row) => row.result === 'PASSED' && row.counter === counter);
  // by a key of the stage that was replaced since where there is no other
  const row = rows.find((each) => isStages(policy, each)) ?? rows[0];
  if (row === undefined)
    throw new PromoterError('INTERNAL', `look up the decision of ${release} into ${stage}: expected one with counter ${counter}, got none`);
  return await ledger.entry(row.index);
}
