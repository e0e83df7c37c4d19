/** `sealane revoke`: calls a release back from every stage; signed by each stage's key, logged, published. */
import { PREDICATE, PromoterError, SealaneError, type Signed, signStatement } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { AppendResult } from '@sealane/ledger';
import { type Channel, revocationStatement } from '@sealane/trust';
import { revokeRelease } from '../channel/channel-edit.js';
import { type LeftStage, noteLeft, withLeft } from '../channel/left-stages.js';
import { REASON, statementsResult } from '../command-parts.js';
import { lastCounter } from '../decision/stage-decisions.js';
import { logEnvelope, tryWitness } from '../log/log-statements.js';
import { type Promoter, stageOf, stageSigner, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';
import { NOTHING_BESIDE, publishLane, publishLogFiles } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'revoke',
  summary: 'call a release back for good: no site installs it again',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [REASON, { flags: '--floor', description: 'also raise the floor above it: older releases cannot come back either' }],
  example: 'sealane revoke readings@1.2.0 --reason "fails in the field" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const { digest } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const reason = textOption(call, 'reason');
    const stages = [...promoter.lane.stages.keys()];
    const last = stages.at(-1) ?? '';
    const floor = call.options['floor'] === true ? await floorAbove(promoter, last) : null;
    const payload = revocationStatement({ release: digest, reason, floor: floor?.counter ?? null });
    // a floor is the last stage's alone
    const { index, statementDigest } = await logByOne(promoter, payload, floor === null ? stages.toReversed() : [last]);
    const channels = stages.map((stage): [string, Channel] => [
      stage,
      revokeRelease(promoter, stage, { release: digest, reason }, stage === last ? floor : null),
    ]);
    // witnesses are asked afterwards: sites must hear of it also while none answers
    const left: LeftStage[] = [];
    await publishLane(promoter, new Map(channels), { ...NOTHING_BESIDE, leave: noteLeft(left) });
    if (await tryWitness(promoter)) await publishLogFiles(promoter);
    const result = statementsResult([{ predicateType: PREDICATE.revocation, digest: statementDigest, logIndex: index }]);
    const naming = channels.flatMap(([stage, { groups }]) => (groups.some(({ release }) => release === digest) ? [stage] : []));
    return withLeft({ ...result, ...toReplace(naming) }, left, `sealane revoke ${digest} --reason TEXT`);
  });
}

/** What runs the release goes on running it until its stage names another one. */
function toReplace([stage, ...others]: readonly string[]): Pick<CommandResult, 'hint'> {
  if (stage === undefined) return {};
  const also = others.length === 0 ? '' : `; ${others.join(', ')} too`;
  return {
    hint: `sites that run it go on, until the stage names another release: sealane channel rollback ${stage} --reason TEXT, or promote one${also}`,
  };
}

/** Logs it by the first of the stages whose key can be had: one that is lost or locked must keep no release running in the others. */
async function logByOne(promoter: Promoter, payload: Uint8Array, stages: readonly string[]): Promise<AppendResult> {
  const refused: SealaneError[] = [];
  for (const stage of stages) {
    const signed = await trySign(promoter, payload, stage);
    if (!(signed instanceof SealaneError)) return await logEnvelope(promoter.ledger, signed);
    refused.push(signed);
  }
  throw refused[0] ?? new PromoterError('STAGE_UNKNOWN', 'revoke a release: expected a stage in the lane, got none');
}

async function trySign(promoter: Promoter, payload: Uint8Array, stage: string): Promise<Signed | SealaneError> {
  try {
    return await signStatement(payload, await stageSigner(promoter, stage));
  } catch (error) {
    if (error instanceof SealaneError) return error;
    throw error;
  }
}

/** The floor from which on only decisions made after now count. */
async function floorAbove(promoter: Promoter, stage: string): Promise<NonNullable<Channel['floor']>> {
  const last = await lastCounter(promoter, stage);
  const { floor } = stageOf(promoter, stage).channel;
  return { counter: Math.max(last + 1, floor?.counter ?? 0), index: await promoter.ledger.size() };
}
