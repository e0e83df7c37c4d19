/** `sealane key rotate`: a new key for an old name; the owners sign what names it. */
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { textArgument, withLockedPromoter } from '../promoter.js';
import { storedKeys } from '../signers/key-store.js';
import { KEEPING, keepingOf, makeKey } from '../signers/make-key.js';
import { proposeChanges } from '../trust/ceremony.js';
import { LOG_KEY, wantedLogVkey, writeLogVkeys } from '../trust/log-key.js';

export const command: CommandSpec = {
  name: 'key rotate',
  summary: 'make the successor of a key and propose it to the owners; the old one signs until they have published',
  arguments: [{ name: 'name', description: 'name of a key of an owner, a stage, a role, a person or a signer; log: of the log' }],
  options: KEEPING,
  example: 'sealane key rotate prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const name = textArgument(call, 0, 'NAME');
  return await withLockedPromoter(call, async (promoter) => {
    const keys = storedKeys(promoter.home).filter((key) => key.name === name);
    const current = keys.find(({ state }) => state === 'current');
    if (current === undefined) {
      throw new PromoterError(
        'KEY_NOT_NAMED',
        `rotate key ${name}: expected it in ${promoter.home.keys} or ${promoter.home.owners}, got none`,
        { name },
      );
    }
    const keeping = keepingOf(call);
    if (current.keptIn === 'elsewhere' && keeping.heldBy === undefined) {
      throw new PromoterError('USAGE', `rotate key ${name}: expected --held-by, since no file holds it now, got none`, { name });
    }
    const isEncrypted = keeping.isEncrypted || (keeping.heldBy === undefined && current.keptIn === 'encrypted file');
    const kind = name === LOG_KEY ? 'ed25519' : 'p256';
    // a rotation that is proposed already goes on with the key that was made then
    if (!keys.some(({ state }) => state === 'next'))
      await makeKey(path.join(path.dirname(current.file), `${name}.next`), kind, { ...keeping, isEncrypted }, promoter.keyPlace);
    if (name === LOG_KEY) writeLogVkeys(promoter, [promoter.logVkey, wantedLogVkey(promoter)]);
    return await proposeChanges(promoter);
  });
}
