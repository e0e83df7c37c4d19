/** `sealane key revoke`: proposes that a key counts only below a log index. */
import { identityIdOf, keyIdOf, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { NO_REASON, OPTIONAL_REASON } from '../command-parts.js';
import { signerWindow } from '@sealane/trust';
import { optionalText, type Promoter, textArgument, withLockedPromoter } from '../promoter.js';
import { policiesOf } from '../rig/statements.js';
import { nextPublicHalf, storedKeys } from '../signers/key-store.js';
import { proposeChanges } from '../trust/ceremony.js';
import { addRevokedKey } from '../trust/revoked-keys.js';

export const command: CommandSpec = {
  name: 'key revoke',
  summary: 'propose that what a key or an identity signs from a log index on is void; the owners sign it',
  arguments: [{ name: 'key', description: 'name of the key or identity, or its id' }],
  options: [
    { flags: '--until-index <n>', description: 'the first index at which it no longer counts (default: the size of the log now)' },
    OPTIONAL_REASON,
  ],
  example: 'sealane key revoke lab --reason "stolen from the bench" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'KEY');
  const reason = optionalText(call, 'reason') ?? NO_REASON;
  return await withLockedPromoter(call, async (promoter) => {
    const { identities } = promoter.pipeline;
    const stored = storedKeys(promoter.home).find((key) => key.state === 'current' && (key.name === name || key.id === name));
    const identity = Object.hasOwn(identities, name) ? identities[name] : undefined;
    const keyId = identity === undefined ? (stored?.id ?? name) : identityIdOf(identity);
    if (!policiesOf(promoter).some((policy) => signerWindow(policy, keyId) !== undefined)) {
      throw new PromoterError(
        'KEY_NOT_NAMED',
        `revoke key ${name}: expected a key that a policy of this lane names, it is in none`,
        { keyId },
        { hint: 'see which keys there are: sealane key list; a key of root, snapshot or timestamp is replaced: sealane key rotate NAME' },
      );
    }
    expectReplaced(promoter, name, keyId);
    const untilIndex = indexOption(optionalText(call, 'untilIndex')) ?? (await promoter.ledger.size());
    addRevokedKey(promoter.home, { keyId, untilIndex, reason });
    return await proposeChanges(promoter);
  });
}

/** A channel is no entry of the log, so no index ends what a stage's key says there: targets would go on naming a key that is void. */
function expectReplaced({ home, pipeline }: Promoter, name: string, keyId: string): void {
  const stage = pipeline.stages.find(({ name: stageName, key }) => keyIdOf(nextPublicHalf(home, key ?? stageName)) === keyId);
  if (stage === undefined) return;
  const stageKey = stage.key ?? stage.name;
  throw new PromoterError(
    'USAGE',
    `revoke key ${name}: expected another key for stage ${stage.name} first, whose channel it signs, got none`,
    { keyId, stage: stage.name },
    {
      hint: `sealane key rotate ${stageKey} ends it where the log is then; for an earlier index go on with: sealane key revoke ${keyId} --until-index N`,
    },
  );
}

function indexOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new PromoterError('USAGE', `read --until-index: expected a log index, got ${JSON.stringify(text)}`);
  return Number(text);
}
