/** `sealane revoke`: calls a release back from every stage; signed by each stage's key, logged, published. */
import { PREDICATE } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { type Channel, revocationStatement } from '@sealane/trust';
import { revokeRelease } from '../channel/channel-edit.js';
import { REASON, statementsResult } from '../command-parts.js';
import { lastCounter } from '../decision/stage-decisions.js';
import { signAndLog, tryWitness } from '../log/log-statements.js';
import { type Promoter, stageOf, stageSigner, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';
import { publishLane, publishLogFiles } from '../trust/publish-lane.js';

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
    const last = [...promoter.lane.stages.keys()].at(-1) ?? '';
    const floor = call.options['floor'] === true ? await floorAbove(promoter, last) : null;
    const payload = revocationStatement({ release: digest, reason, floor: floor?.counter ?? null });
    const { index, statementDigest } = await signAndLog(promoter.ledger, payload, await stageSigner(promoter, last));
    const channels = [...promoter.lane.stages.keys()].map((stage): [string, Channel] => [
      stage,
      revokeRelease(promoter, stage, { release: digest, reason }, stage === last ? floor : null),
    ]);
    // witnesses are asked afterwards: sites must hear of it also while none answers
    await publishLane(promoter, new Map(channels));
    if (await tryWitness(promoter)) await publishLogFiles(promoter);
    return statementsResult([{ predicateType: PREDICATE.revocation, digest: statementDigest, logIndex: index }]);
  });
}

/** The floor from which on only decisions made after now count. */
async function floorAbove(promoter: Promoter, stage: string): Promise<NonNullable<Channel['floor']>> {
  const last = await lastCounter(promoter, stage);
  const { floor } = stageOf(promoter, stage).channel;
  return { counter: Math.max(last + 1, floor?.counter ?? 0), index: await promoter.ledger.size() };
}
